/** Pruning of weights (magnitude, N:M, random, SNIP, GraSP, lottery tickets) and of tokens. */
package dev.jformer.compress.prune;
