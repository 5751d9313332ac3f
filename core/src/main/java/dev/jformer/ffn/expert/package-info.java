/**
 * Mixtures of experts: the layer {@link dev.jformer.ffn.expert.Experts}, whose experts are channel
 * mixers, and the {@link dev.jformer.ffn.expert.Gate gates} that route tokens to them.
 */
package dev.jformer.ffn.expert;
