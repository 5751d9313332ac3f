/** Pruning of weights and tokens. */
package dev.jformer.compress.prune;
