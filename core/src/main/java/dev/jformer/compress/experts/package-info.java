/** Turns perceptrons into experts, and takes smaller models out of nested ones. */
package dev.jformer.compress.experts;
