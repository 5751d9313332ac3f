package dev.jformer.mixer;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** Keys and values of the tokens seen so far, in memory set aside for the longest sequence. */
final class KeyValueCache implements TokenMixer.State {
  private final Tensor keys;
  private final Tensor values;
  private long length;

  KeyValueCache(long batch, long heads, long capacity, long headDim, DType dtype) {
    this.keys = Tensor.zeros(dtype, batch, heads, capacity, headDim).keep();
    this.values = Tensor.zeros(dtype, batch, heads, capacity, headDim).keep();
  }

  /** Adds keys and values [B, G, T, d] of the next T tokens. */
  void append(Tensor key, Tensor value) {
    long added = key.size(2);
    if (length + added > keys.size(2)) {
      throw new IllegalArgumentException(
          "the cache holds "
              + keys.size(2)
              + " tokens: "
              + added
              + " more than "
              + length
              + " do not fit");
    }
    keys.narrow(2, length, added).copy_(key);
    values.narrow(2, length, added).copy_(value);
    length += added;
  }

  /** Keys of all tokens seen, [B, G, S, d]. */
  Tensor keys() {
    return keys.narrow(2, 0, length);
  }

  /** Values of all tokens seen, [B, G, S, d]. */
  Tensor values() {
    return values.narrow(2, 0, length);
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void truncate(long newLength) {
    length = Math.min(length, newLength);
  }

  @Override
  public long bytes() {
    return 2 * keys.elements() * keys.dtype().bytes();
  }

  @Override
  public void close() {
    keys.close();
    values.close();
  }
}
