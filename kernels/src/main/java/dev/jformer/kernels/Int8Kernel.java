package dev.jformer.kernels;

import java.nio.ByteBuffer;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with a matrix of 8-bit integers, row after row, that has a scale for each row. Pieces of
 * it that fit the fastest cache are copied to an array and multiplied there.
 */
public final class Int8Kernel extends RowKernel {
  private static final VectorSpecies<Float> F = VectorApi.Species.FLOATS;
  private static final VectorSpecies<Byte> B = VectorApi.Species.BYTES;
  private static final int LANES = F.length();

  /** As many rows are multiplied together, of the matrix with one of x or of x with one of it. */
  private static final int TOGETHER = 4;

  /** Bytes of a piece. */
  private static final int PIECE = 24 << 10;

  private final ByteBuffer matrix;
  private final float[] scales;

  /** Rows of a piece. */
  private final int most;

  /**
   * Creates products with a matrix.
   *
   * @param matrix int8 [N, K], which has to live as long as this
   * @param scales [N]
   */
  public Int8Kernel(ByteBuffer matrix, float[] scales, int width) {
    super(scales.length, width);
    this.matrix = matrix;
    this.scales = scales;
    this.most = Math.max(1, PIECE / width / TOGETHER) * TOGETHER;
  }

  /** As many as there are fours of rows. */
  @Override
  public int parts() {
    return (rows + TOGETHER - 1) / TOGETHER;
  }

  @Override
  public float[] prepared(float[] x, int count) {
    return x;
  }

  @Override
  public void multiply(float[] x, float[] y, int count, int from, int end) {
    int last = Math.min(rows, end * TOGETHER);
    for (int start = from * TOGETHER; start < last; start += most) {
      int some = Math.min(last - start, most);
      byte[] piece = Scratch.ofThread().copied(matrix, start * width, some * width);
      int row = 0;
      for (; row + TOGETHER <= count; row += TOGETHER) {
        four(piece, start, some, x, row * width, y, row * rows + start);
      }
      for (; row < count; row++) {
        one(piece, start, some, x, row * width, y, row * rows + start);
      }
    }
  }

  private static FloatVector load(byte[] weights, int at) {
    return (FloatVector)
        ByteVector.fromArray(B, weights, at).convertShape(VectorOperators.B2F, F, 0);
  }

  private static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(F, x, at);
  }

  private static float sum(FloatVector a) {
    return a.reduceLanes(VectorOperators.ADD);
  }

  /** The sum of the products from a column on. */
  private float rest(byte[] weights, int row, float[] x, int at, int from) {
    float sum = 0;
    for (int i = from; i < width; i++) {
      sum += x[at + i] * weights[row * width + i];
    }
    return sum;
  }

  /**
   * Computes results of one row of x.
   *
   * @param weights rows of the matrix
   * @param from the number of the first of them
   * @param count how many they are
   * @param at where the row begins in x
   * @param to where the results begin in y
   */
  private void one(byte[] weights, int from, int count, float[] x, int at, float[] y, int to) {
    int whole = F.loopBound(width);
    int row = 0;
    for (; row + TOGETHER <= count; row += TOGETHER) {
      int first = row * width;
      int second = first + width;
      int third = second + width;
      int fourth = third + width;
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      for (int i = 0; i < whole; i += LANES) {
        FloatVector v = load(x, at + i);
        a = load(weights, first + i).fma(v, a);
        b = load(weights, second + i).fma(v, b);
        c = load(weights, third + i).fma(v, c);
        d = load(weights, fourth + i).fma(v, d);
      }
      int scale = from + row;
      y[to + row] = scales[scale] * (sum(a) + rest(weights, row, x, at, whole));
      y[to + row + 1] = scales[scale + 1] * (sum(b) + rest(weights, row + 1, x, at, whole));
      y[to + row + 2] = scales[scale + 2] * (sum(c) + rest(weights, row + 2, x, at, whole));
      y[to + row + 3] = scales[scale + 3] * (sum(d) + rest(weights, row + 3, x, at, whole));
    }
    for (; row < count; row++) {
      y[to + row] = scales[from + row] * rest(weights, row, x, at, 0);
    }
  }

  /** Computes results of {@link #TOGETHER} consecutive rows of x. */
  private void four(byte[] weights, int from, int count, float[] x, int at, float[] y, int to) {
    int whole = F.loopBound(width);
    int second = at + width;
    int third = second + width;
    int fourth = third + width;
    for (int row = 0; row < count; row++) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      for (int i = 0; i < whole; i += LANES) {
        FloatVector w = load(weights, row * width + i);
        a = load(x, at + i).fma(w, a);
        b = load(x, second + i).fma(w, b);
        c = load(x, third + i).fma(w, c);
        d = load(x, fourth + i).fma(w, d);
      }
      float scale = scales[from + row];
      int into = to + row;
      y[into] = scale * (sum(a) + rest(weights, row, x, at, whole));
      y[into + rows] = scale * (sum(b) + rest(weights, row, x, second, whole));
      y[into + 2 * rows] = scale * (sum(c) + rest(weights, row, x, third, whole));
      y[into + 3 * rows] = scale * (sum(d) + rest(weights, row, x, fourth, whole));
    }
  }
}
