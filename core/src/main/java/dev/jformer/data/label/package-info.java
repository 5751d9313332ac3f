/**
 * Sequences whose tokens have labels, or that have one as a whole: made ones of a problem, and
 * words of texts from files.
 */
package dev.jformer.data.label;
