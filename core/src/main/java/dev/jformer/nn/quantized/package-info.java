/** Linear layers and embeddings whose weights, or activations too, are kept in few bits. */
package dev.jformer.nn.quantized;
