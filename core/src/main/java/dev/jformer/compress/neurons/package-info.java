/** Pruning and merging of the hidden units of perceptrons. */
package dev.jformer.compress.neurons;
