package dev.jformer.ffn;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Site;
import java.util.List;

/**
 * Another channel mixer in each block, as models have that were put together of parts of different
 * sizes (arXiv 2310.07707).
 */
public final class PerLayer {
  private PerLayer() {}

  /**
   * Configuration.
   *
   * @param layers the channel mixer of each block
   */
  @AutoService(ChannelMixer.Config.class)
  public record Config(List<ChannelMixer.Config> layers) implements ChannelMixer.Config {
    /** Plain perceptrons in a model of one block. */
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
    public ChannelMixer build(Site site) {
      if (layers.size() != site.layers()) {
        throw new IllegalArgumentException(
            "layers has "
                + layers.size()
                + " channel mixers: expected one for each of the model's "
                + site.layers()
                + " blocks");
      }
      return layers.get(site.layer()).build(site);
    }
  }
}
