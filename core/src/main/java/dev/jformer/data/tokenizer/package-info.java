/** Tokenizers: bytes, byte-level BPE, and those of Hugging Face's tokenizer.json. */
package dev.jformer.data.tokenizer;
