/**
 * Channel mixers (feed-forward layers), the part of a block that works on each token alone. Start
 * with {@link dev.jformer.ffn.ChannelMixer} and {@link dev.jformer.ffn.Mlp}.
 */
package dev.jformer.ffn;
