/** Channel mixers: the half of a block that works on each token alone, [B, T, D] to [B, T, D]. */
package dev.jformer.ffn;
