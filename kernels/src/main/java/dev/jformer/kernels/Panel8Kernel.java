package dev.jformer.kernels;

import java.nio.ByteBuffer;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Products with panels of 8-bit integers, of which 128 stands for 0. */
public final class Panel8Kernel extends PanelKernel {
  private static final VectorSpecies<Byte> B = VectorApi.Species.BYTES;
  private static final int ZERO = 128;

  /** Turns a byte from 0 to 255 into the signed one that is 128 less. */
  private static final byte SIGN = (byte) ZERO;

  /**
   * Creates products with a matrix; the arrays have to live as long as this.
   *
   * @param codes uint8 [panels, K, at least HEIGHT]
   * @param scales float32 [panels, blocks, HEIGHT]
   * @param offsets float32 [panels, blocks, HEIGHT], or null
   */
  public Panel8Kernel(
      ByteBuffer codes, ByteBuffer scales, ByteBuffer offsets, int rows, int width) {
    super(codes, scales, offsets, rows, width);
  }

  private static FloatVector load(byte[] piece, int at) {
    return (FloatVector)
        ByteVector.fromArray(B, piece, at)
            .lanewise(VectorOperators.XOR, SIGN)
            .convertShape(VectorOperators.B2F, F, 0);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(F, value);
  }

  @Override
  void one(Piece piece, float[] x, int at, float sum, float[] y, int to) {
    byte[] codes = piece.codes();
    float[] scales = piece.scales();
    int place = piece.place();
    for (int row = 0; row < HEIGHT; row += 4 * LANES) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      int here = piece.start() + row;
      for (int i = at; i < at + block; i++) {
        FloatVector times = all(x[i]);
        a = load(codes, here).fma(times, a);
        b = load(codes, here + LANES).fma(times, b);
        c = load(codes, here + 2 * LANES).fma(times, c);
        d = load(codes, here + 3 * LANES).fma(times, d);
        here += pitch;
      }
      add(a, scales, place + row, y, to + row);
      add(b, scales, place + row + LANES, y, to + row + LANES);
      add(c, scales, place + row + 2 * LANES, y, to + row + 2 * LANES);
      add(d, scales, place + row + 3 * LANES, y, to + row + 3 * LANES);
    }
  }

  @Override
  void two(Piece piece, float[] x, int at, float sum, float other, float[] y, int to) {
    byte[] codes = piece.codes();
    float[] scales = piece.scales();
    int place = piece.place();
    int step = stride();
    for (int row = 0; row < HEIGHT; row += 2 * LANES) {
      FloatVector a = FloatVector.zero(F);
      FloatVector b = a;
      FloatVector c = a;
      FloatVector d = a;
      int here = piece.start() + row;
      for (int i = at; i < at + block; i++) {
        FloatVector w = load(codes, here);
        FloatVector v = load(codes, here + LANES);
        FloatVector times = all(x[i]);
        FloatVector next = all(x[i + step]);
        a = w.fma(times, a);
        b = v.fma(times, b);
        c = w.fma(next, c);
        d = v.fma(next, d);
        here += pitch;
      }
      add(a, scales, place + row, y, to + row);
      add(b, scales, place + row + LANES, y, to + row + LANES);
      add(c, scales, place + row, y, to + HEIGHT + row);
      add(d, scales, place + row + LANES, y, to + HEIGHT + row + LANES);
    }
  }
}
