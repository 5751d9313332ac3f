package dev.jformer.nn.internal;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Positions as a bit mask: a bit for each element of a matrix says whether it is kept; element
 * {@code i} is in bit {@code i % 8} of byte {@code i / 8}.
 */
public final class BitMask implements NonzeroPositions {
  private final long elements;
  private final Parameter bits;

  /** Creates a mask of a matrix [rows, width] that keeps no elements. */
  public BitMask(long rows, long width) {
    this.elements = Math.multiplyExact(rows, width);
    this.bits = Parameter.buffer(Tensor.zeros(DType.UINT8, (elements + 7) / 8));
  }

  @Override
  public String name() {
    return "mask";
  }

  @Override
  public Parameter code() {
    return bits;
  }

  private ByteBuffer bytes() {
    return bits.value().asBuffer();
  }

  @Override
  public long elements() {
    return elements;
  }

  @Override
  public long count() {
    ByteBuffer bytes = bytes();
    int size = bytes.capacity();
    long count = 0;
    int i = 0;
    for (; i + 8 <= size; i += 8) {
      count += Long.bitCount(bytes.getLong(i));
    }
    for (; i < size; i++) {
      count += Integer.bitCount(bytes.get(i) & 0xff);
    }
    return count;
  }

  @Override
  public void set(Tensor mask) {
    byte[] flags = mask.to(DType.UINT8).toBytes();
    byte[] packed = new byte[(flags.length + 7) / 8];
    for (int i = 0; i < flags.length; i++) {
      packed[i / 8] |= (byte) (flags[i] << (i % 8));
    }
    bits.copyFrom(Tensor.of(packed, packed.length).viewAs(DType.UINT8));
  }

  @Override
  public long[] indices() {
    long[] indices = new long[Math.toIntExact(count())];
    ByteBuffer bytes = bytes();
    int at = 0;
    for (int i = 0; i < bytes.capacity(); i++) {
      for (int left = bytes.get(i) & 0xff; left != 0; left &= left - 1) {
        indices[at++] = 8L * i + Integer.numberOfTrailingZeros(left);
      }
    }
    return indices;
  }

  @Override
  public void spread(FloatBuffer values, FloatBuffer matrix) {
    ByteBuffer bytes = bytes();
    int at = 0;
    for (int i = 0; i < bytes.capacity(); i++) {
      for (int left = bytes.get(i) & 0xff; left != 0; left &= left - 1) {
        matrix.put(8 * i + Integer.numberOfTrailingZeros(left), values.get(at++));
      }
    }
  }
}
