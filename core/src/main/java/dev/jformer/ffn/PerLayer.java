package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.BlockContext;
import java.util.List;

/**
 * A channel mixer that differs between blocks, as in models composed of parts of different sizes
 * (<a href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic
 * Inference</a>).
 */
public final class PerLayer {
  private PerLayer() {}

  /** A configuration with these channel mixers in its blocks; a plain one if they are all equal. */
  public static ChannelMixer.Config of(List<ChannelMixer.Config> layers) {
    return layers.stream().distinct().count() == 1 ? layers.get(0) : new Config(layers);
  }

  /**
   * Configuration.
   *
   * @param layers the channel mixer of each block, or one for all of them
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(List<ChannelMixer.Config> layers) implements ChannelMixer.Config {
    /** Defaults: plain perceptrons. */
    public Config() {
      this(List.of(new Mlp.Config()));
    }

    /** Copies the list. */
    public Config {
      layers = List.copyOf(layers);
    }

    @Override
    public String type() {
      return "per-layer";
    }

    @Override
    public ChannelMixer build(BlockContext context) {
      if (layers.size() != 1 && layers.size() != context.layers()) {
        throw new IllegalArgumentException(
            "layers has "
                + layers.size()
                + " channel mixers: expected 1, or one for each of the model's "
                + context.layers()
                + " blocks");
      }
      return layers.get(layers.size() == 1 ? 0 : context.layer()).build(context);
    }
  }
}
