/** Quantization of weights, activations and key-value caches to few bits. */
package dev.jformer.compress.quantize;
