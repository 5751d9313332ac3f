package dev.jformer.mixer.cache;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A key-value cache for attention with a sliding window: it stores keys and values of the last
 * tokens only, so its memory does not grow with the text. It stores some more than the window
 * needs, so that {@link #truncate} can take back the last tokens.
 */
final class WindowCache implements Cache {
  /** The number of tokens that can be taken back at any time. */
  private static final long BACK = 64;

  /** The number of tokens between two moves of what is stored. */
  private static final long ROOM = 64;

  private final long window;
  private final long heads;
  private final long capacity;
  private final long headDim;
  private long batch;
  private Tensor keys;
  private Tensor values;

  /** The number of tokens before those that are stored. */
  private long dropped;

  private long length;

  WindowCache(long window, long batch, long heads, long capacity, long headDim) {
    this.window = window;
    this.batch = batch;
    this.heads = heads;
    this.capacity = capacity;
    this.headDim = headDim;
  }

  /** Whether it takes less memory than a cache of all tokens. */
  static boolean isSmaller(long window, long capacity) {
    return places(window) < capacity;
  }

  private static long places(long window) {
    return window - 1 + BACK + ROOM;
  }

  private long stored() {
    return length - dropped;
  }

  @Override
  public Pair append(Tensor key, Tensor value) {
    long added = key.size(2);
    if (length + added > capacity) {
      throw new IllegalArgumentException(
          "the cache is for texts of "
              + capacity
              + " tokens: "
              + added
              + " more than "
              + length
              + " are too many");
    }
    if (keys == null) {
      keys = allocate(key.dtype());
      values = allocate(value.dtype());
    }
    long seen = Math.min(stored(), window - 1);
    if (stored() + added <= places(window)) {
      return appendInPlace(key, value, seen);
    }
    Pair all = new Pair(joined(keys, key, seen), joined(values, value, seen));
    long kept = Math.min(stored() + added, window - 1 + BACK);
    keep(keys, key, kept);
    keep(values, value, kept);
    length += added;
    dropped = length - kept;
    return all;
  }

  private Pair appendInPlace(Tensor key, Tensor value, long seen) {
    long added = key.size(2);
    long first = stored() - seen;
    keys.narrow(2, stored(), added).copy_(key);
    values.narrow(2, stored(), added).copy_(value);
    length += added;
    return new Pair(keys.narrow(2, first, seen + added), values.narrow(2, first, seen + added));
  }

  /** The last stored tokens and the new ones. */
  private Tensor joined(Tensor all, Tensor added, long last) {
    return Tensor.cat(2, all.narrow(2, stored() - last, last), added);
  }

  /** Stores the last of the stored and the new tokens. */
  private void keep(Tensor all, Tensor added, long kept) {
    long fresh = Math.min(added.size(2), kept);
    try (Scope scope = Scope.open()) {
      Tensor last = joined(all, added.narrow(2, added.size(2) - fresh, fresh), kept - fresh);
      all.narrow(2, 0, kept).copy_(last);
    }
  }

  private Tensor allocate(DType dtype) {
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      return Tensor.zeros(dtype, batch, heads, places(window), headDim).keep();
    }
  }

  @Override
  public long length() {
    return length;
  }

  /**
   * {@inheritDoc} Others than all tokens can be dropped only if the window of the last one that
   * stays is still stored.
   */
  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    if (newLength >= length) {
      return;
    }
    if (newLength > 0 && Math.max(0, newLength - (window - 1)) < dropped) {
      throw new UnsupportedOperationException(
          "a cache of the last "
              + window
              + " tokens cannot go back from "
              + length
              + " tokens to "
              + newLength
              + ": start again from the first");
    }
    dropped = newLength == 0 ? 0 : dropped;
    length = newLength;
  }

  @Override
  public void select(Tensor rows) {
    keys = StateTensors.selected(keys, rows);
    values = StateTensors.selected(values, rows);
    batch = rows.elements();
  }

  @Override
  public long bytes() {
    return keys == null ? 0 : 2 * keys.elements() * keys.dtype().bytes();
  }

  @Override
  public void close() {
    if (keys != null) {
      keys.close();
      values.close();
    }
  }
}
