package dev.jformer.mixer.cache;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.CachedAttention;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A key-value cache that stores keys and values unchanged, in memory that is allocated for the
 * longest sequence at the first tokens, in their type.
 */
public final class KeyValueCache implements Cache {
  /** Configuration of the full cache. */
  @AutoService(Cache.Config.class)
  public record Config() implements Cache.Config {
    @Override
    public String type() {
      return "full";
    }

    @Override
    public KeyValueCache start(long batch, long heads, long capacity, long headDim) {
      return new KeyValueCache(batch, heads, capacity, headDim);
    }

    @Override
    public Cache startWindow(long window, long batch, long heads, long capacity, long headDim) {
      return WindowCache.isSmaller(window, capacity)
          ? new WindowCache(window, batch, heads, capacity, headDim)
          : start(batch, heads, capacity, headDim);
    }
  }

  private long batch;
  private final long heads;
  private final long capacity;
  private final long headDim;
  private Tensor keys;
  private Tensor values;
  private long length;

  /** Creates an empty cache. */
  public KeyValueCache(long batch, long heads, long capacity, long headDim) {
    this.batch = batch;
    this.heads = heads;
    this.capacity = capacity;
    this.headDim = headDim;
  }

  /** Checks that a number of tokens fits. */
  public void expect(long added) {
    if (length + added > capacity) {
      throw new IllegalArgumentException(
          "the cache holds "
              + capacity
              + " tokens: "
              + added
              + " more than "
              + length
              + " do not fit");
    }
  }

  @Override
  public Pair append(Tensor key, Tensor value) {
    long added = key.size(2);
    expect(added);
    if (keys == null) {
      keys = allocate(key.dtype());
      values = allocate(value.dtype());
    }
    keys.narrow(2, length, added).copy_(key);
    values.narrow(2, length, added).copy_(value);
    length += added;
    return new Pair(keys.narrow(2, 0, length), values.narrow(2, 0, length));
  }

  /** Whether {@link #append(float[], float[])} suits what is in the cache. */
  public boolean takesFloats() {
    return keys == null || keys.dtype() == DType.FLOAT32;
  }

  /**
   * Adds one token of each sequence, as plain floats.
   *
   * @param key [B, G, d]
   * @param value [B, G, d]
   * @throws IllegalArgumentException if it does not fit; the cache is then unchanged
   */
  public void append(float[] key, float[] value) {
    expect(1);
    if (keys == null) {
      keys = allocate(DType.FLOAT32);
      values = allocate(DType.FLOAT32);
    }
    CachedAttention.write(keys, length, key);
    CachedAttention.write(values, length, value);
    length++;
  }

  /**
   * Computes what one query of each head and sequence takes from the values of all tokens.
   *
   * @param query [B, H, d]
   * @param queryHeads H, a multiple of G
   * @param factor of the products of queries and keys
   * @param result is set to [B, H, d]
   */
  public void attend(float[] query, int queryHeads, float factor, float[] result) {
    CachedAttention.attend(query, keys, values, length, queryHeads, factor, result);
  }

  private Tensor allocate(DType dtype) {
    // Outside of inference mode, so that later steps may run in it or not.
    try (Mode mode = Autograd.noInference()) {
      return Tensor.zeros(dtype, batch, heads, capacity, headDim).keep();
    }
  }

  @Override
  public long length() {
    return length;
  }

  @Override
  public void truncate(long newLength) {
    if (newLength < 0) {
      throw new IllegalArgumentException(
          "cannot keep " + newLength + " tokens: expected at least 0");
    }
    length = Math.min(length, newLength);
  }

  @Override
  public void select(Tensor rows) {
    if (keys != null) {
      keys = selected(keys, rows);
      values = selected(values, rows);
    }
    batch = rows.elements();
  }

  private Tensor selected(Tensor all, Tensor rows) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noInference();
        Mode constant = Autograd.noGrad()) {
      Tensor used = all.narrow(2, 0, length).indexSelect(0, rows);
      boolean fits = rows.elements() == batch;
      Tensor place =
          fits ? all : Tensor.zeros(all.dtype(), rows.elements(), heads, capacity, headDim).keep();
      place.narrow(2, 0, length).copy_(used);
      if (!fits) {
        all.close();
      }
      return place;
    }
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
