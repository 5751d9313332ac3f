package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Positions as column indices, for a matrix that keeps the same number of values in each row. An
 * index takes as few bits as hold the largest one. Indices are stored in order, lowest bits first;
 * bit {@code b} is in byte {@code b / 8}.
 */
public final class RowIndices implements NonzeroPositions {
  private final long rows;
  private final long width;
  private final int keep;
  private final int bits;
  private final Parameter codes;

  /** Creates positions of a matrix [rows, width] that keep the first {@code keep} of each row. */
  public RowIndices(long rows, long width, int keep) {
    this.rows = rows;
    this.width = width;
    this.keep = keep;
    this.bits = bits(width);
    byte[] packed = new byte[Math.toIntExact((rows * keep * bits + 7) / 8)];
    long at = 0;
    for (long row = 0; row < rows; row++) {
      for (int i = 0; i < keep; i++) {
        write(packed, at++, i);
      }
    }
    this.codes = Parameter.buffer(Tensor.of(packed, packed.length).viewAs(DType.UINT8));
  }

  /** The fewest bits that can index the columns of a matrix. */
  public static int bits(long width) {
    return Long.SIZE - Long.numberOfLeadingZeros(Math.max(1, width - 1));
  }

  private void write(byte[] packed, long number, int column) {
    for (int b = 0; b < bits; b++) {
      long bit = number * bits + b;
      packed[(int) (bit >> 3)] |= (byte) ((column >> b & 1) << (bit & 7));
    }
  }

  /**
   * Reads the column of a value.
   *
   * @throws IllegalStateException if there is no such column, because the file is damaged
   */
  private int read(ByteBuffer bytes, long number) {
    int column = 0;
    for (int b = 0; b < bits; b++) {
      long bit = number * bits + b;
      column |= (bytes.get((int) (bit >> 3)) >> (bit & 7) & 1) << b;
    }
    if (column >= width) {
      throw new IllegalStateException(
          "a value is in column "
              + column
              + " of a matrix of "
              + width
              + " columns: the weights are damaged");
    }
    return column;
  }

  @Override
  public String name() {
    return "indices";
  }

  @Override
  public Parameter code() {
    return codes;
  }

  @Override
  public long elements() {
    return rows * width;
  }

  @Override
  public long count() {
    return rows * keep;
  }

  @Override
  public void set(Tensor mask) {
    byte[] flags = mask.to(DType.UINT8).toBytes();
    byte[] packed = new byte[Math.toIntExact(codes.value().elements())];
    long at = 0;
    for (int row = 0; row < rows; row++) {
      int found = 0;
      for (int column = 0; column < width; column++) {
        if (flags[(int) (row * width + column)] != 0) {
          if (++found > keep) {
            break;
          }
          write(packed, at++, column);
        }
      }
      if (found != keep) {
        throw new IllegalArgumentException(
            "a mask keeps "
                + (found < keep ? "" + found : "more than " + keep)
                + " values of row "
                + row
                + ": expected "
                + keep
                + " of each row");
      }
    }
    codes.copyFrom(Tensor.of(packed, packed.length).viewAs(DType.UINT8));
  }

  @Override
  public long[] indices() {
    long[] indices = new long[Math.toIntExact(count())];
    ByteBuffer bytes = codes.value().asBuffer();
    for (int i = 0; i < indices.length; i++) {
      indices[i] = i / keep * width + read(bytes, i);
    }
    return indices;
  }

  @Override
  public void spread(FloatBuffer values, FloatBuffer matrix) {
    ByteBuffer bytes = codes.value().asBuffer();
    int count = Math.toIntExact(count());
    for (int i = 0; i < count; i++) {
      matrix.put((int) (i / keep * width + read(bytes, i)), values.get(i));
    }
  }
}
