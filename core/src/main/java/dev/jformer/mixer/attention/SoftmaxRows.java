package dev.jformer.mixer.attention;

import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.nn.RowFunction;
import dev.jformer.position.Position;

/**
 * Softmax attention of one token of each sequence, as plain floats; it adds the tokens to a cache.
 */
final class SoftmaxRows implements RowFunction {
  /**
   * The layers, in the order in which they act.
   *
   * @param qkv makes queries, keys and values
   * @param queryNorm acts on each head, as does {@code keyNorm}
   */
  record Parts(
      RowFunction qkv,
      RowFunction queryNorm,
      RowFunction keyNorm,
      Position.RowRotation rotation,
      RowFunction out) {
    /** Whether all are there. */
    boolean areComplete() {
      return qkv != null && queryNorm != null && keyNorm != null && rotation != null && out != null;
    }
  }

  private final Parts parts;
  private final KeyValueCache cache;
  private final int heads;
  private final int groups;
  private final int headDim;
  private final float factor;
  private final float[] made;
  private final Vectors query;
  private final Vectors key;
  private final Vectors value;
  private final float[] taken;

  /**
   * Creates the function.
   *
   * @param factor of the products of queries and keys
   */
  SoftmaxRows(Parts parts, KeyValueCache cache, int heads, int groups, int headDim, double factor) {
    this.parts = parts;
    this.cache = cache;
    this.heads = heads;
    this.groups = groups;
    this.headDim = headDim;
    this.factor = (float) factor;
    this.made = new float[MOST_ROWS * (heads + 2 * groups) * headDim];
    this.query = new Vectors(0, heads);
    this.key = new Vectors(heads, groups);
    this.value = new Vectors(heads + groups, groups);
    this.taken = new float[MOST_ROWS * heads * headDim];
  }

  /** The vectors of some of the heads that the first layer makes, of all sequences. */
  private final class Vectors {
    private final int first;
    private final int count;
    private float[] values;
    private float[] other;

    Vectors(int first, int count) {
      this.first = first;
      this.count = count;
      this.values = new float[MOST_ROWS * count * headDim];
      this.other = new float[MOST_ROWS * count * headDim];
    }

    void read(int rows) {
      int each = count * headDim;
      for (int row = 0; row < rows; row++) {
        int from = (row * (heads + 2 * groups) + first) * headDim;
        System.arraycopy(made, from, values, row * each, each);
      }
    }

    void encode(RowFunction norm, int rows, long position) {
      if (norm != IDENTITY) {
        norm.apply(values, other, rows * count);
        float[] before = values;
        values = other;
        other = before;
      }
      parts.rotation.apply(values, rows * count, headDim, position);
    }
  }

  @Override
  public void apply(float[] x, float[] y, int rows) {
    long position = cache.length();
    parts.qkv.apply(x, made, rows);
    query.read(rows);
    key.read(rows);
    value.read(rows);
    query.encode(parts.queryNorm, rows, position);
    key.encode(parts.keyNorm, rows, position);
    cache.append(key.values, value.values);
    cache.attend(query.values, heads, factor, taken);
    parts.out.apply(taken, y, rows);
  }
}
