package dev.jformer.position;

import dev.jformer.config.Part;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A position encoding, shared by all blocks of a model; an encoding overrides the places it acts
 * in.
 */
public abstract class Position extends Module {
  private Pass pass;

  /** Configuration of a position encoding. */
  public interface Config extends Part {
    /**
     * The encoding for a model.
     *
     * @param width D
     * @param heads number of attention heads
     * @param headDim width of one head
     * @param length the longest sequence
     * @throws IllegalArgumentException if it cannot serve such a model
     */
    Position build(int width, int heads, int headDim, int length);
  }

  /**
   * Acts on token embeddings.
   *
   * @param x [B, T, D], the tokens at positions start … start + T - 1
   * @return [B, T, D]
   */
  public Tensor embed(Tensor x, long start) {
    return x;
  }

  /**
   * Acts on queries or keys.
   *
   * @param x [B, H, T, d], the tokens at positions start … start + T - 1
   * @return [B, H, T, d]
   */
  public Tensor rotate(Tensor x, long start) {
    return x;
  }

  /**
   * What is added to the attention logits of queries at positions start … start + queries - 1 and
   * keys at positions 0 … keys - 1.
   *
   * @param causal whether a query sees keys up to its own position only; what stands for other
   *     pairs is then finite, but without meaning
   * @return [H, queries, keys], or null for nothing
   */
  public Tensor bias(long start, long queries, long keys, boolean causal) {
    return null;
  }

  /** As {@link #bias}, made once in a {@link #pass}. */
  public final Tensor sharedBias(long start, long queries, long keys, boolean causal) {
    return shared(
        new Wanted(start, queries, keys, causal, false, Autograd.isEnabled()),
        () -> bias(start, queries, keys, causal));
  }

  /**
   * As {@link #bias}, with -∞ where a causal query may not see a key; made once in a {@link #pass}.
   */
  public final Tensor sharedMask(long start, long queries, long keys, boolean causal) {
    if (!causal) {
      return sharedBias(start, queries, keys, false);
    }
    return shared(
        new Wanted(start, queries, keys, true, true, Autograd.isEnabled()),
        () -> {
          Tensor bias = bias(start, queries, keys, true);
          if (bias == null) {
            return null;
          }
          Tensor later = Tensor.ones(queries, keys).triu(start + 1).gt(0);
          return bias.maskedFill(later, Double.NEGATIVE_INFINITY);
        });
  }

  private Tensor shared(Wanted wanted, Supplier<Tensor> make) {
    if (pass == null) {
      return make.get();
    }
    if (!pass.made.containsKey(wanted)) {
      Tensor made = make.get();
      pass.made.put(wanted, made == null ? null : made.keep());
    }
    return pass.made.get(wanted);
  }

  /** Gradients are part of it, as a layer may be computed without and the next one with them. */
  private record Wanted(
      long start, long queries, long keys, boolean causal, boolean masked, boolean gradients) {}

  /**
   * Begins one pass through the layers of a model, which share the biases made in it:
   *
   * <pre>{@code
   * try (Position.Pass pass = position.pass()) {
   *   for (Block block : blocks) {
   *     x = block.forward(x, keep);
   *   }
   * }
   * }</pre>
   *
   * Weights must not change before it is closed. Without a pass every layer makes its own.
   */
  public final Pass pass() {
    return new Pass();
  }

  /**
   * A pass through a model's layers. The biases made in it live until it is closed, whichever scope
   * they were made in; gradients flow through them afterwards, too.
   */
  public final class Pass implements AutoCloseable {
    private final Map<Wanted, Tensor> made = new HashMap<>();
    private final Pass outer = pass;

    private Pass() {
      pass = this;
    }

    @Override
    public void close() {
      pass = outer;
      for (Tensor bias : made.values()) {
        if (bias != null) {
          bias.close();
        }
      }
      made.clear();
    }
  }

  /** Whether sequences longer than the model's length can be encoded. */
  public boolean extrapolates() {
    return true;
  }
}
