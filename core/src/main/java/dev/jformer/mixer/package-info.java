/**
 * Token mixers: the half of a block in which tokens exchange information. Softmax attention is one
 * among many.
 */
package dev.jformer.mixer;
