package dev.jformer.position;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Position encodings that differ between blocks, as in Gemma 3, where blocks with a sliding window
 * have another base of the rotary angles (<a href="https://arxiv.org/abs/2503.19786">Gemma 3
 * Technical Report</a>). Blocks with equal encodings share one.
 */
public final class PerLayerPosition extends Position {
  /**
   * Configuration.
   *
   * @param layers the encodings of the first blocks; they repeat for those after them
   */
  @AutoService(Position.Config.class)
  public record Config(List<Position.Config> layers) implements Position.Config {
    /** Defaults: rotary positions in all blocks. */
    public Config() {
      this(List.of(new Rope.Config()));
    }

    /** Copies the list. */
    public Config {
      layers = List.copyOf(layers);
      Checks.check(!layers.isEmpty(), "layers", layers, "at least one position encoding");
    }

    @Override
    public String type() {
      return "per-layer";
    }

    /** The encoding of a block with this index, from 0. */
    public Position.Config ofLayer(int layer) {
      return layers.get(layer % layers.size());
    }

    @Override
    public Position build(int width, int heads, int headDim, int length) {
      List<Position.Config> kinds = layers.stream().distinct().toList();
      return new PerLayerPosition(
          kinds.stream().map(kind -> kind.build(width, heads, headDim, length)).toList(),
          layers.stream().map(kinds::indexOf).toList());
    }
  }

  /** A configuration with these encodings; a plain one if they are all equal. */
  public static Position.Config of(List<Position.Config> layers) {
    return layers.stream().distinct().count() == 1 ? layers.get(0) : new Config(layers);
  }

  private final List<Slot<Position>> kinds = new ArrayList<>();
  private final List<Integer> layers;

  private PerLayerPosition(List<Position> kinds, List<Integer> layers) {
    this.kinds.addAll(children("kinds", Position.class, kinds));
    this.layers = layers;
  }

  @Override
  public Position ofLayer(int layer) {
    return kinds.get(layers.get(layer % layers.size())).get();
  }

  @Override
  public List<Position> ofLayers() {
    return kinds.stream().map(Slot::get).toList();
  }

  /** Encodes positions in embeddings as the first block's encoding does. */
  @Override
  public Tensor embed(Tensor x, long start) {
    return kinds.get(0).get().embed(x, start);
  }

  @Override
  public boolean changes(long length, long other) {
    return kinds.stream().anyMatch(kind -> kind.get().changes(length, other));
  }

  @Override
  public boolean extrapolates() {
    return kinds.stream().allMatch(kind -> kind.get().extrapolates());
  }
}
