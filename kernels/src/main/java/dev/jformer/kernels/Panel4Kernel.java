package dev.jformer.kernels;

import java.nio.ByteBuffer;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with panels of 4-bit integers. A byte holds those of two rows, the even one in the lower
 * half; so even and odd results are summed apart, and a block's sums brought in order at its end.
 */
public final class Panel4Kernel extends PanelKernel {
  private static final VectorSpecies<Byte> B = VectorApi.Species.BYTES;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int LOWER = 0x0f;
  private static final int UPPER = 0xf0;

  /** The upper half of a byte counts as 16 times its value. */
  private static final float SIXTEENTH = 1 / 16f;

  /** Takes each of the lower half of lanes twice. */
  private static final VectorShuffle<Float> FIRST_HALF = VectorShuffle.fromOp(F, i -> i / 2);

  private static final VectorShuffle<Float> SECOND_HALF =
      VectorShuffle.fromOp(F, i -> (i + LANES) / 2);

  private static final VectorMask<Float> ODD = VectorMask.fromLong(F, 0xaaaaaaaaaaaaaaaaL);

  private final int zero;

  /**
   * Creates products with a matrix; the arrays have to live as long as this.
   *
   * @param codes uint8 [panels, K, at least HEIGHT / 2]
   * @param scales float32 [panels, blocks, HEIGHT]
   * @param offsets float32 [panels, blocks, HEIGHT], or null
   * @param zero the code that stands for 0 before the offset is added
   */
  public Panel4Kernel(
      ByteBuffer codes, ByteBuffer scales, ByteBuffer offsets, int rows, int width, int zero) {
    super(codes, scales, offsets, rows, width);
    this.zero = zero;
  }

  private static IntVector load(byte[] piece, int at) {
    return (IntVector) ByteVector.fromArray(B, piece, at).convertShape(VectorOperators.B2I, I, 0);
  }

  private static FloatVector masked(IntVector pairs, int mask) {
    return (FloatVector) pairs.and(mask).convertShape(VectorOperators.I2F, F, 0);
  }

  private static FloatVector all(float value) {
    return FloatVector.broadcast(F, value);
  }

  /** Adds the sums of even and of odd results. */
  private static void addInOrder(
      FloatVector even, FloatVector odd, float[] scales, int at, float[] y, int to) {
    FloatVector lower = even.rearrange(FIRST_HALF).blend(odd.rearrange(FIRST_HALF), ODD);
    FloatVector upper = even.rearrange(SECOND_HALF).blend(odd.rearrange(SECOND_HALF), ODD);
    add(lower, scales, at, y, to);
    add(upper, scales, at + LANES, y, to + LANES);
  }

  @Override
  void one(Piece piece, float[] x, int at, float sum, float[] y, int to) {
    byte[] codes = piece.codes();
    float[] scales = piece.scales();
    int place = piece.place();
    FloatVector start = all(-zero * sum);
    for (int row = 0; row < HEIGHT; row += 4 * LANES) {
      FloatVector a = start;
      FloatVector b = start;
      FloatVector c = start;
      FloatVector d = start;
      int here = piece.start() + row / 2;
      for (int i = at; i < at + block; i++) {
        IntVector pairs = load(codes, here);
        IntVector next = load(codes, here + LANES);
        FloatVector times = all(x[i]);
        FloatVector less = all(x[i] * SIXTEENTH);
        a = masked(pairs, LOWER).fma(times, a);
        b = masked(pairs, UPPER).fma(less, b);
        c = masked(next, LOWER).fma(times, c);
        d = masked(next, UPPER).fma(less, d);
        here += pitch;
      }
      addInOrder(a, b, scales, place + row, y, to + row);
      addInOrder(c, d, scales, place + row + 2 * LANES, y, to + row + 2 * LANES);
    }
  }

  @Override
  void two(Piece piece, float[] x, int at, float sum, float other, float[] y, int to) {
    byte[] codes = piece.codes();
    float[] scales = piece.scales();
    int place = piece.place();
    int step = stride();
    FloatVector start = all(-zero * sum);
    FloatVector otherStart = all(-zero * other);
    for (int row = 0; row < HEIGHT; row += 2 * LANES) {
      FloatVector a = start;
      FloatVector b = start;
      FloatVector c = otherStart;
      FloatVector d = otherStart;
      int here = piece.start() + row / 2;
      for (int i = at; i < at + block; i++) {
        IntVector pairs = load(codes, here);
        FloatVector lower = masked(pairs, LOWER);
        FloatVector upper = masked(pairs, UPPER);
        a = lower.fma(all(x[i]), a);
        b = upper.fma(all(x[i] * SIXTEENTH), b);
        c = lower.fma(all(x[i + step]), c);
        d = upper.fma(all(x[i + step] * SIXTEENTH), d);
        here += pitch;
      }
      addInOrder(a, b, scales, place + row, y, to + row);
      addInOrder(c, d, scales, place + row, y, to + HEIGHT + row);
    }
  }
}
