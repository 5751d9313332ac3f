/**
 * Models on disk: a folder with {@code config.json}, {@code model.safetensors} and, for text,
 * {@code tokenizer.json}.
 */
package dev.jformer.hub;
