/** Running a trained language model: choosing the next token, and going on with texts. */
package dev.jformer.decode;
