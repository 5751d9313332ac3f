package dev.jformer.position;

import dev.jformer.config.Part;
import dev.jformer.nn.Module;
import dev.jformer.tensor.Tensor;

/**
 * A position encoding, shared by all blocks of a model; an encoding overrides the places it acts
 * in.
 */
public abstract class Position extends Module {
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
   * @return [H, queries, keys], or null for nothing
   */
  public Tensor bias(long start, long queries, long keys) {
    return null;
  }

  /** Whether sequences longer than the model's length can be encoded. */
  public boolean extrapolates() {
    return true;
  }
}
