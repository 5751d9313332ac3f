/** State that token mixers keep while a sequence is decoded, above all the key-value cache. */
package dev.jformer.mixer.cache;
