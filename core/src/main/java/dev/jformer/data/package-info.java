/**
 * Training data of all kinds. This package holds what they share: errors, epochs, fingerprints; see
 * {@code data.text}, {@code data.tokenizer}, {@code data.image} and {@code data.series}.
 */
package dev.jformer.data;
