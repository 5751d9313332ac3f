/**
 * Tokenizers: bytes, byte-level BPE, and those of Hugging Face's tokenizer.json. Start with {@link
 * dev.jformer.data.tokenizer.Tokenizers} to load one, {@link dev.jformer.data.tokenizer.BpeTrainer}
 * to train one.
 */
package dev.jformer.data.tokenizer;
