/**
 * GGUF, the file format of llama.cpp: metadata, a tokenizer and tensors, often quantized in blocks.
 * Start with {@link dev.jformer.io.gguf.GgufFile}.
 */
package dev.jformer.io.gguf;
