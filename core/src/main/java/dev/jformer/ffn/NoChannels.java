package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import dev.jformer.tensor.Tensor;

/**
 * A channel mixer that adds nothing to a block, for token mixers that hold whole networks. It has
 * no weights.
 */
public final class NoChannels extends ChannelMixer {
  /** Configuration. */
  @AutoService(ChannelMixer.Config.class)
  public record Config() implements ChannelMixer.Config {
    @Override
    public String type() {
      return "none";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      return new NoChannels();
    }
  }

  /** Returns zeros, so that the sum of the block stays what it was. */
  @Override
  public Tensor forward(Tensor x) {
    return x.zerosLike();
  }
}
