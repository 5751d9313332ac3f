/**
 * Models on disk: a folder with {@code config.json}, {@code model.safetensors} and, for text,
 * {@code tokenizer.json}. Start with {@link dev.jformer.hub.Models}; {@link
 * dev.jformer.hub.HuggingFace} saves for Hugging Face's transformers.
 */
package dev.jformer.hub;
