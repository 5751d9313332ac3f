package dev.jformer.mixer.cache;

import dev.jformer.tensor.Tensor;

/**
 * A cache that begins with keys and values of no token, which stand in front of those of all
 * tokens: every query sees them. They do not count as tokens, so that the positions of tokens are
 * those of a sequence without them. Gradients flow to them, and to the tokens' keys and values.
 * Tensors are the caller's: they live as long as the scope that they were made in.
 */
public final class PrefixCache implements Cache {
  private Pair prefix;
  private Pair all;

  /**
   * Creates a cache.
   *
   * @param prefix keys and values, [B, G, M, d]
   */
  public PrefixCache(Pair prefix) {
    this.prefix = prefix;
    this.all = prefix;
  }

  /** Keys and values of the prefix and of all tokens, those of the prefix first. */
  @Override
  public Pair append(Tensor key, Tensor value) {
    Tensor keys = all.keys().to(key.dtype());
    Tensor values = all.values().to(value.dtype());
    all = new Pair(Tensor.cat(2, keys, key), Tensor.cat(2, values, value));
    return all;
  }

  /** The number of tokens, without the prefix. */
  @Override
  public long length() {
    return all.keys().size(2) - prefix.keys().size(2);
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    long kept = prefix.keys().size(2) + Math.min(newLength, length());
    all = new Pair(all.keys().narrow(2, 0, kept), all.values().narrow(2, 0, kept));
  }

  @Override
  public void select(Tensor rows) {
    prefix = selected(prefix, rows);
    all = selected(all, rows);
  }

  private static Pair selected(Pair pair, Tensor rows) {
    return new Pair(pair.keys().indexSelect(0, rows), pair.values().indexSelect(0, rows));
  }

  @Override
  public long bytes() {
    return 2 * all.keys().elements() * all.keys().dtype().bytes();
  }

  /** Does nothing: tensors are released with their scope. */
  @Override
  public void close() {}
}
