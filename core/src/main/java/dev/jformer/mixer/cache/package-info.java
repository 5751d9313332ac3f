/**
 * Decoding state of token mixers, above all the key-value cache. Start with {@link
 * dev.jformer.mixer.cache.Cache}.
 */
package dev.jformer.mixer.cache;
