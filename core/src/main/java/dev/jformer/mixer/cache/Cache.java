package dev.jformer.mixer.cache;

import dev.jformer.config.Part;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Tensor;

/** The keys and values that attention keeps of the tokens it has seen. */
public interface Cache extends TokenMixer.State {
  /** How keys and values are kept. */
  interface Config extends Part {
    /**
     * An empty cache.
     *
     * @param batch B
     * @param heads G, those of keys and values
     * @param capacity the most tokens that will come
     * @param headDim d
     * @throws IllegalArgumentException if it cannot hold heads of this width
     */
    Cache start(long batch, long heads, long capacity, long headDim);
  }

  /** Keys and values [B, G, S, d]. */
  record Pair(Tensor keys, Tensor values) {}

  /**
   * Adds the next T tokens.
   *
   * @param key [B, G, T, d]
   * @param value [B, G, T, d]
   * @return keys and values of all tokens as these T tokens' queries see them, those of the T
   *     tokens included
   * @throws IllegalArgumentException if they do not fit; the cache is as it was then
   */
  Pair append(Tensor key, Tensor value);
}
