/**
 * Position encodings: how a model knows where a token stands. They act in three places, each
 * optional: on the embeddings (learned, sinusoidal), on queries and keys (rotary), on the attention
 * logits (ALiBi and its relatives).
 */
package dev.jformer.position;
