/** Sparse attention: each token looks at some of the others only. */
package dev.jformer.mixer.sparse;
