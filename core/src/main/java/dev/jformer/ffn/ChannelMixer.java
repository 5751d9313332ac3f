package dev.jformer.ffn;

import dev.jformer.config.Part;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Layer;

/**
 * A channel mixer, the part of a block that transforms each token by itself: [..., D] to [..., D].
 */
public abstract class ChannelMixer extends Layer {
  /** Configuration of a channel mixer. */
  public interface Config extends Part {
    /** Builds the channel mixer for one block. */
    ChannelMixer build(BlockContext context);
  }
}
