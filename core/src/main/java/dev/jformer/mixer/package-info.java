/**
 * Token mixers, the part of a block in which tokens exchange information. Start with {@link
 * dev.jformer.mixer.TokenMixer}; softmax attention and its variants are in {@code mixer.attention}.
 */
package dev.jformer.mixer;
