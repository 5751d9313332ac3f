/**
 * Attention: a frame that variants fill in, and the variants that let each token look at all
 * others.
 */
package dev.jformer.mixer.attention;
