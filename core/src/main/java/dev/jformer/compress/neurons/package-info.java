/**
 * Pruning (by magnitude, at random, by search) and merging (IFM) of hidden units of perceptrons.
 */
package dev.jformer.compress.neurons;
