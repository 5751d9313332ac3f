package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * A floating-point format of few bits, as used by LLM-FP4 (<a
 * href="https://arxiv.org/abs/2310.16836">LLM-FP4: 4-Bit Floating-Point Quantized
 * Transformers</a>): a sign, E bits of exponent and M of mantissa. With exponent bits p, mantissa
 * bits d and a bias b, which need not be an integer, a number is {@code ± 2^(p-b) (1 + d/2^M)}, or
 * {@code ± 2^(1-b) d/2^M} where p is 0. There are no infinities and no NaN: all codes are numbers.
 *
 * <p>All numbers are integer multiples of the smallest, {@code 2^(1-M-b)}. It is called the step
 * here and takes the place of the bias: those of E2M1 are 0, 1, 2, 3, 4, 6, 8 and 12 steps, and
 * their negatives. With E = 1 they are 0, 1, 2 … 2^(bits-1) - 1: a symmetric integer format whose
 * scale is the step. So integers need no separate code.
 *
 * @param bits of a number, sign included, 2 to 8
 * @param exponent E, 1 to 5 and less than {@code bits}; with more exponent bits float32 could not
 *     hold the ratio of the largest number and the smallest
 */
public record MiniFloat(int bits, int exponent) {
  private static final int WIDEST_EXPONENT = 5;
  private static final long FLOAT32_EXPONENT = 0x7f800000L;
  private static final int FLOAT32_MANTISSA = 23;
  private static final int FLOAT32_BIAS = 127;

  /** Checks the values. */
  public MiniFloat {
    if (bits < 2 || bits > 8) {
      throw new IllegalArgumentException("bits is " + bits + ": expected 2 to 8");
    }
    if (exponent < 1 || exponent > widest(bits)) {
      throw new IllegalArgumentException(
          "exponent is "
              + exponent
              + " of "
              + bits
              + " bits: expected 1 to "
              + widest(bits)
              + " exponent bits");
    }
  }

  private static int widest(int bits) {
    return Math.min(bits - 1, WIDEST_EXPONENT);
  }

  /** All formats of a number of bits, the one with the fewest exponent bits first. */
  public static List<MiniFloat> all(int bits) {
    List<MiniFloat> formats = new ArrayList<>();
    for (int exponent = 1; exponent <= widest(bits); exponent++) {
      formats.add(new MiniFloat(bits, exponent));
    }
    return List.copyOf(formats);
  }

  /** The format whose numbers are the integers from {@code -(2^(bits-1) - 1)} on. */
  public static MiniFloat integer(int bits) {
    return new MiniFloat(bits, 1);
  }

  /** The usual format of a number of bits: E2M1 for 4, E3M2 for 6, E4M3 for 8. */
  public static MiniFloat usual(int bits) {
    return new MiniFloat(bits, Math.max(1, bits / 2));
  }

  /** The number M of mantissa bits. */
  public int mantissa() {
    return bits - 1 - exponent;
  }

  /** The largest exponent, which is also the most that can be added to one. */
  public int widestShift() {
    return (1 << exponent) - 1;
  }

  /** The largest number, in steps. */
  public double largest() {
    return Math.scalb((1 << (mantissa() + 1)) - 1.0, (1 << exponent) - 2);
  }

  /** The step with which {@code most} is the largest number; 1 if {@code most} is 0. */
  public double step(double most) {
    return most > 0 ? most / largest() : 1;
  }

  /**
   * Rounds to the nearest numbers of this format, ties to even. Values beyond the largest number
   * become the largest; NaN stays NaN.
   *
   * @param steps any shape, float32, counted in steps
   * @return counted in steps
   */
  public Tensor round(Tensor steps) {
    Tensor clipped = steps.clamp(-largest(), largest());
    // 2^⌊log2|x|⌋ is taken from the bits of x, so it is exact; below the normal numbers the step is
    // 1.
    Tensor power =
        And.OPERATOR.call(clipped.viewAs(DType.INT32), FLOAT32_EXPONENT).viewAs(DType.FLOAT32);
    Tensor spacing = power.mul(Math.scalb(1.0, -mantissa())).clamp(1, Float.MAX_VALUE);
    return clipped.div(spacing).round().mul(spacing);
  }

  private static final class And {
    static final Operator OPERATOR = Operator.named("aten::bitwise_and.Scalar");
  }

  /**
   * The number of each code, in steps; a code is the sign, then the exponent, then the mantissa.
   */
  public float[] values() {
    int half = 1 << (bits - 1);
    float[] values = new float[2 * half];
    for (int code = 0; code < half; code++) {
      int p = code >> mantissa();
      int d = code & ((1 << mantissa()) - 1);
      values[code] = p == 0 ? d : Math.scalb((float) ((1 << mantissa()) + d), p - 1);
      values[half + code] = -values[code];
    }
    return values;
  }

  /**
   * The code of a number.
   *
   * @param value a number of this format, in steps
   * @throws IllegalArgumentException if it is not a number of this format
   */
  public int code(float value) {
    float size = Math.abs(value);
    int p = size < 1 << mantissa() ? 0 : Math.getExponent(size) - mantissa() + 1;
    int d = (int) (p == 0 ? size : Math.scalb(size, 1 - p) - (1 << mantissa()));
    int code = (p << mantissa()) + d;
    boolean known =
        size <= largest()
            && Math.scalb((p == 0 ? 0f : 1 << mantissa()) + d, Math.max(p, 1) - 1) == size;
    if (!known) {
      throw new IllegalArgumentException(value + " steps are not a number of the format " + this);
    }
    return Float.floatToRawIntBits(value) < 0 ? code + (1 << (bits - 1)) : code;
  }

  /**
   * Exact powers of two.
   *
   * @param exponents integers from -126 to 127
   * @return {@code 2^exponents}, float32
   */
  public static Tensor powersOfTwo(Tensor exponents) {
    Tensor biased = exponents.to(DType.INT32).add((long) FLOAT32_BIAS);
    return biased.mul(1L << FLOAT32_MANTISSA).viewAs(DType.FLOAT32);
  }

  /** The format's name, such as {@code E2M1}. */
  @Override
  public String toString() {
    return "E" + exponent + "M" + mantissa();
  }
}
