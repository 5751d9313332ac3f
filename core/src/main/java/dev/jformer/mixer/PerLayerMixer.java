package dev.jformer.mixer;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Position;
import java.util.Comparator;
import java.util.List;

/**
 * A token mixer that differs between blocks, as in Gemma 2, where attention with a sliding window
 * and attention to all tokens alternate (<a href="https://arxiv.org/abs/2408.00118">Gemma 2:
 * Improving Open Language Models at a Practical Size</a>).
 */
public final class PerLayerMixer {
  private PerLayerMixer() {}

  /** A configuration with these mixers; a plain one if they are all equal. */
  public static TokenMixer.Config of(List<? extends TokenMixer.Config> layers) {
    return layers.stream().distinct().count() == 1
        ? layers.get(0)
        : new Config(List.copyOf(layers));
  }

  /**
   * Configuration.
   *
   * @param layers the mixers of the first blocks; they repeat for those after them. All that have
   *     several heads must have equally many, because they share position encodings
   */
  @AutoService(TokenMixer.Config.class)
  public record Config(List<TokenMixer.Config> layers) implements TokenMixer.Config {
    /** Defaults: pooling in all blocks. */
    public Config() {
      this(List.of(new Pooling.Config()));
    }

    /** Copies the list and checks the heads. */
    public Config {
      layers = List.copyOf(layers);
      Checks.check(!layers.isEmpty(), "layers", layers, "at least one mixer");
      List<Integer> heads =
          layers.stream().map(TokenMixer.Config::heads).filter(h -> h > 1).distinct().toList();
      Checks.check(heads.size() < 2, "heads", heads, "the same number in all blocks");
    }

    @Override
    public String type() {
      return "per-layer";
    }

    @Override
    public int heads() {
      return withMostHeads().heads();
    }

    @Override
    public int headDim(int width) {
      return withMostHeads().headDim(width);
    }

    private TokenMixer.Config withMostHeads() {
      return layers.stream().max(Comparator.comparingInt(TokenMixer.Config::heads)).orElseThrow();
    }

    /** The mixer of a block with this index, from 0. */
    public TokenMixer.Config ofLayer(int layer) {
      return layers.get(layer % layers.size());
    }

    @Override
    public TokenMixer build(BlockContext context, Position position) {
      return ofLayer(context.layer()).build(context, position);
    }
  }
}
