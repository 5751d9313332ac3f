/** Sparse linear layers, which store only the weights that are not zero. */
package dev.jformer.nn.sparse;
