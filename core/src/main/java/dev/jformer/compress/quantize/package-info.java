/** Quantization: weights, activations and caches in few bits. */
package dev.jformer.compress.quantize;
