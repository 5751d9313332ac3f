package dev.jformer.kernels;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with a matrix of integers, column after column, in which each block of adjacent columns
 * has a scale for each row, and an offset if wanted: a value is the integer, less a zero, times the
 * scale, plus the offset. Pieces of a block that fit the fastest cache are copied to an array and
 * multiplied there.
 */
public abstract sealed class ColumnKernel extends RowKernel permits Column4Kernel, Column8Kernel {
  static final VectorSpecies<Float> F = VectorApi.Species.FLOATS;
  static final int LANES = F.length();

  /** The most bytes of a piece. */
  private static final int PIECE = 64 << 10;

  /** Columns that share scales. */
  final int block;

  private final ByteBuffer codes;
  private final int bytes;
  private final int perByte;
  private final FloatBuffer scales;
  private final FloatBuffer offsets;
  private final int zero;

  /** Whether a block is copied as a whole. */
  private final boolean isWhole;

  /** The most results of a piece. */
  private final int most;

  /**
   * Creates products with a matrix; the arrays have to live as long as this.
   *
   * @param codes uint8 [K, bytes]
   * @param scales float32 [blocks, N]
   * @param offsets float32 [blocks, N], or null
   * @param zero the code that stands for 0 before the offset is added
   * @param perByte how many codes a byte holds
   */
  ColumnKernel(
      ByteBuffer codes,
      ByteBuffer scales,
      ByteBuffer offsets,
      int rows,
      int width,
      int zero,
      int perByte) {
    super(rows, width);
    this.codes = codes;
    this.bytes = codes.remaining() / width;
    this.perByte = perByte;
    this.scales = floats(scales);
    this.offsets = offsets == null ? null : floats(offsets);
    this.block = width / (this.scales.remaining() / rows);
    this.zero = zero;
    this.isWhole = block * bytes <= PIECE;
    this.most = isWhole ? rows : Math.max(1, PIECE / block * perByte / unit()) * unit();
  }

  private static FloatBuffer floats(ByteBuffer memory) {
    return memory.duplicate().order(ByteOrder.nativeOrder()).asFloatBuffer();
  }

  /** As many as there are blocks. */
  @Override
  public final int parts() {
    return width / block;
  }

  @Override
  public final boolean isSum() {
    return true;
  }

  /** Results that are computed together. */
  private static int unit() {
    return 4 * LANES;
  }

  /** The number of floats of a prepared row: its elements, and the sums of blocks. */
  final int stride() {
    return width + width / block;
  }

  @Override
  public final float[] prepared(float[] x, int count) {
    float[] made = new float[count * stride()];
    for (int row = 0; row < count; row++) {
      int at = row * stride();
      System.arraycopy(x, row * width, made, at, width);
      for (int group = 0; group < width / block; group++) {
        float sum = 0;
        for (int i = group * block; i < (group + 1) * block; i++) {
          sum += made[at + i];
        }
        made[at + width + group] = sum;
      }
    }
    return made;
  }

  @Override
  public final void multiply(float[] x, float[] y, int count, int from, int end) {
    int inVectors = rows / unit() * unit();
    Arrays.fill(y, 0, count * rows, 0);
    for (int group = from; group < end; group++) {
      for (int start = 0; start < inVectors; start += most) {
        multiply(x, y, count, group, start, Math.min(inVectors - start, most));
      }
      for (int i = inVectors; i < rows; i++) {
        for (int row = 0; row < count; row++) {
          y[row * rows + i] += single(x, row * stride(), group, i);
        }
      }
    }
  }

  /**
   * A part of a block in arrays.
   *
   * @param codes column after column
   * @param pitch bytes from one column to the next
   * @param results how many results it has a part in
   * @param scales of the results
   */
  record Piece(byte[] codes, int pitch, int results, float[] scales) {}

  /** Adds what a block adds to consecutive results, whose number is a multiple of the unit. */
  private void multiply(float[] x, float[] y, int count, int group, int from, int results) {
    Scratch scratch = Scratch.ofThread();
    int place = group * rows + from;
    Piece piece =
        new Piece(
            columns(scratch, group, from, results),
            isWhole ? bytes : results / perByte,
            results,
            scratch.copied(scales, place, results));
    float[] shifts = offsets == null ? null : scratch.copiedToo(offsets, place, results);
    for (int row = 0; row < count; row += 2) {
      int at = row * stride();
      float sum = x[at + width + group];
      int to = row * rows + from;
      if (row + 1 == count) {
        one(piece, x, at + group * block, sum, y, to);
      } else {
        float other = x[at + stride() + width + group];
        two(piece, x, at + group * block, sum, other, y, to);
        shift(shifts, results, other, y, to + rows);
      }
      shift(shifts, results, sum, y, to);
    }
  }

  /** Copies a part of a block's columns. */
  private byte[] columns(Scratch scratch, int group, int from, int results) {
    int start = group * block * bytes;
    if (isWhole) {
      return scratch.copied(codes, start, block * bytes);
    }
    int some = results / perByte;
    byte[] columns = scratch.bytes(block * some);
    for (int i = 0; i < block; i++) {
      codes.get(start + i * bytes + from / perByte, columns, i * some, some);
    }
    return columns;
  }

  /**
   * Adds a block's part of results, but for the offsets.
   *
   * @param at where the block begins in x
   * @param sum of the block's x
   * @param to where the results begin in y
   */
  abstract void one(Piece piece, float[] x, int at, float sum, float[] y, int to);

  /**
   * The same for two consecutive rows. A method for four would be too large to be compiled well.
   *
   * @param other the sum of the second row's x
   */
  abstract void two(Piece piece, float[] x, int at, float sum, float other, float[] y, int to);

  /** The integer of a row in the column that begins at a byte. */
  abstract int code(ByteBuffer codes, int column, int row);

  /** Adds the offsets, if there are any, times a sum. */
  private static void shift(float[] shifts, int results, float sum, float[] y, int to) {
    if (shifts == null) {
      return;
    }
    FloatVector times = FloatVector.broadcast(F, sum);
    for (int i = 0; i < results; i += LANES) {
      FloatVector before = FloatVector.fromArray(F, y, to + i);
      FloatVector.fromArray(F, shifts, i).fma(times, before).intoArray(y, to + i);
    }
  }

  /** Adds scaled sums to results. */
  static void add(FloatVector sums, float[] scales, int at, float[] y, int to) {
    FloatVector before = FloatVector.fromArray(F, y, to + at);
    sums.fma(FloatVector.fromArray(F, scales, at), before).intoArray(y, to + at);
  }

  /** What a block adds to a single result. */
  private float single(float[] x, int at, int group, int row) {
    float sum = 0;
    for (int i = group * block; i < (group + 1) * block; i++) {
      sum += x[at + i] * (code(codes, i * bytes, row) - zero);
    }
    int place = group * rows + row;
    float shift = offsets == null ? 0 : x[at + width + group] * offsets.get(place);
    return sum * scales.get(place) + shift;
  }
}
