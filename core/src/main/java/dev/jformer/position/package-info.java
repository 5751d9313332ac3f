/**
 * Position encodings, which give a model the order of its tokens. They act in three places, each
 * optional: on the embeddings (learned, sinusoidal), on queries and keys (rotary), on the attention
 * logits (ALiBi, T5's biases). Start with {@link dev.jformer.position.Position}.
 */
package dev.jformer.position;
