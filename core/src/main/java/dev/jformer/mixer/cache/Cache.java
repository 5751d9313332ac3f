package dev.jformer.mixer.cache;

import dev.jformer.config.Part;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Tensor;

/** A key-value cache: the keys and values of the tokens that attention has seen. */
public interface Cache extends TokenMixer.State {
  /** Configuration of a cache. */
  interface Config extends Part {
    /**
     * Creates an empty cache.
     *
     * @param batch B
     * @param heads G, number of heads of keys and values
     * @param capacity the most tokens of a sequence
     * @param headDim d
     * @throws IllegalArgumentException if it cannot hold heads of this width
     */
    Cache start(long batch, long heads, long capacity, long headDim);

    /**
     * Creates an empty cache for attention in which a query sees the keys less than {@code window}
     * positions away. It may forget others; it forgets none unless overridden.
     *
     * @param window at least 1
     */
    default Cache startWindow(long window, long batch, long heads, long capacity, long headDim) {
      return start(batch, heads, capacity, headDim);
    }
  }

  /** Keys and values, [B, G, S, d]. */
  record Pair(Tensor keys, Tensor values) {}

  /**
   * Adds the next T tokens.
   *
   * @param key [B, G, T, d]
   * @param value [B, G, T, d]
   * @return keys and values of all tokens, including the new ones, for the queries of the T tokens;
   *     of those within the window if there is one
   * @throws IllegalArgumentException if they do not fit; the cache is then unchanged
   */
  Pair append(Tensor key, Tensor value);
}
