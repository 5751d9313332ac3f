/**
 * Quantized linear layers and embeddings: their weights, and some also activations, have few bits.
 */
package dev.jformer.nn.quantized;
