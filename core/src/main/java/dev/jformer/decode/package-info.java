/**
 * Running a trained language model: choosing the next token, and going on with texts. Works on
 * token ids; where text is needed, a function from ids to text is passed in.
 */
package dev.jformer.decode;
