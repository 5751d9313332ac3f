/**
 * Mixtures of experts: one layer, {@link dev.jformer.ffn.expert.Experts}, of channel mixers each of
 * which works on the tokens that a {@link dev.jformer.ffn.expert.Gate} routes to it.
 */
package dev.jformer.ffn.expert;
