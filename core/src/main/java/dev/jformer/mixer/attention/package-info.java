/**
 * Multi-head attention: the base class {@link dev.jformer.mixer.attention.Attention} and its
 * variants in which each token can attend to all others.
 */
package dev.jformer.mixer.attention;
