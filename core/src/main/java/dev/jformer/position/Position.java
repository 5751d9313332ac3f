package dev.jformer.position;

import dev.jformer.config.Part;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Tensor;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A position encoding, shared by all blocks of a model. It acts on embeddings, on queries and keys,
 * or on attention logits; a subclass overrides the methods for its places.
 */
public abstract class Position extends Module {
  /** The innermost pass of each thread through any model, so that threads may share one. */
  private static final ThreadLocal<Pass> INNERMOST = new ThreadLocal<>();

  /** Configuration of a position encoding. */
  public interface Config extends Part {
    /**
     * Builds the encoding for a model.
     *
     * @param width D
     * @param heads number of attention heads
     * @param headDim width of one head
     * @param length the longest sequence
     * @throws IllegalArgumentException if it does not suit such a model
     */
    Position build(int width, int heads, int headDim, int length);
  }

  /**
   * The encoding of one block, which the model's other blocks may not share; this one unless
   * overridden.
   *
   * @param layer index of the block, from 0
   */
  public Position ofLayer(int layer) {
    return this;
  }

  /** All that {@link #ofLayer} can give. */
  public List<Position> ofLayers() {
    return List.of(this);
  }

  /**
   * Encodes positions in token embeddings.
   *
   * @param x [B, T, D], the tokens at positions start … start + T - 1
   * @return [B, T, D]
   */
  public Tensor embed(Tensor x, long start) {
    return x;
  }

  /**
   * Encodes positions in queries or keys.
   *
   * @param x [B, H, T, d], the tokens at positions start … start + T - 1
   * @return [B, H, T, d]
   */
  public Tensor rotate(Tensor x, long start) {
    return x;
  }

  /** Encodes the position of queries or keys that are plain floats, one token of each sequence. */
  @FunctionalInterface
  public interface RowRotation {
    /** Changes nothing: for encodings that act on embeddings. */
    RowRotation NONE = (x, heads, headDim, at) -> {};

    /**
     * Encodes a position in queries or keys.
     *
     * @param x [heads, d], changed in place; those of all sequences, which are at the same position
     * @param heads how many there are
     * @param headDim d
     * @param at the position
     */
    void apply(float[] x, int heads, int headDim, long at);
  }

  /**
   * What {@link #rotate} does with plain floats; only one thread may use it at a time. Null, unless
   * overridden, for encodings that cannot do so, or that act on attention logits.
   */
  public RowRotation rowRotation() {
    return null;
  }

  /**
   * The bias added to the attention logits of queries at positions start … start + queries - 1 and
   * keys at positions 0 … keys - 1.
   *
   * @param causal whether a query sees only keys up to its own position; the values of other pairs
   *     are then finite but have no meaning
   * @return [H, queries, keys], or null for nothing; fixed biases are float32 whatever the model's
   *     type, and are converted where they are added
   */
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    return null;
  }

  /** Like {@link #bias}, but computed only once in a {@link #pass}. */
  public final Tensor sharedBias(long start, long queries, long keys, boolean causal) {
    return shared(
        new BiasKey(start, queries, keys, causal, false, Autograd.isEnabled()),
        () -> bias(start, queries, keys, causal));
  }

  /**
   * Like {@link #bias}, with -∞ where a causal query must not see a key; computed only once in a
   * {@link #pass}.
   */
  public final Tensor sharedMask(long start, long queries, long keys, boolean causal) {
    if (!causal) {
      return sharedBias(start, queries, keys, false);
    }
    return shared(
        new BiasKey(start, queries, keys, true, true, Autograd.isEnabled()),
        () -> {
          Tensor bias = bias(start, queries, keys, true);
          if (bias == null) {
            return null;
          }
          Tensor later = Tensor.ones(queries, keys).triu(start + 1).gt(0);
          return bias.maskedFill(later, Double.NEGATIVE_INFINITY);
        });
  }

  private Tensor shared(BiasKey wanted, Supplier<Tensor> make) {
    Pass pass = INNERMOST.get();
    while (pass != null && pass.position() != this) {
      pass = pass.outer;
    }
    if (pass == null) {
      return make.get();
    }
    if (!pass.made.containsKey(wanted)) {
      Tensor made = make.get();
      pass.made.put(wanted, made == null ? null : made.keep());
    }
    return pass.made.get(wanted);
  }

  /**
   * The key of a shared bias; it includes gradients, as one layer may need them and the next not.
   */
  private record BiasKey(
      long start, long queries, long keys, boolean causal, boolean masked, boolean gradients) {}

  /**
   * Opens a pass through the layers of a model, which share the biases computed in it:
   *
   * <pre>{@code
   * try (Position.Pass pass = position.pass()) {
   *   for (Block block : blocks) {
   *     x = block.forward(x, paddingMask);
   *   }
   * }
   * }</pre>
   *
   * Weights must not change before it is closed. Without a pass every layer computes its own bias.
   */
  public final Pass pass() {
    return new Pass();
  }

  /**
   * A pass through a model's layers. Biases computed in it live until it is closed, whatever scope
   * they were computed in; gradients can still flow through them afterwards.
   */
  public final class Pass implements AutoCloseable {
    private final Map<BiasKey, Tensor> made = new HashMap<>();
    private final Pass outer = INNERMOST.get();

    private Pass() {
      INNERMOST.set(this);
    }

    private Position position() {
      return Position.this;
    }

    @Override
    public void close() {
      if (outer == null) {
        INNERMOST.remove();
      } else {
        INNERMOST.set(outer);
      }
      for (Tensor bias : made.values()) {
        if (bias != null) {
          bias.close();
        }
      }
      made.clear();
    }
  }

  /**
   * Whether a token's encoding in a sequence of one length differs from that in a sequence of
   * another length, so that nothing can be kept in decoding when the one grows to the other.
   */
  public boolean changes(long length, long other) {
    return false;
  }

  /** Whether sequences longer than the model's length can be encoded. */
  public boolean extrapolates() {
    return true;
  }
}
