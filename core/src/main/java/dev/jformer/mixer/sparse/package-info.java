/** Sparse attention, in which each token attends to only some of the others. */
package dev.jformer.mixer.sparse;
