package dev.jformer.tensor;

/**
 * Products of 8-bit integers, and linear maps on them. On processors with VNNI (AVX-512) an 8-bit
 * product runs at about four times the speed of a float32 one, and reads a quarter of the memory.
 */
public final class Int8 {
  /** How finely the numbers that a weight is multiplied with are rounded. */
  public enum Activations {
    /** To 8 bits: one product. */
    BITS_8(1),
    /**
     * To 15 bits: two products, of the upper digits and of the lower ones. The error is a 2⁻¹⁵ of a
     * row's largest value, so that in effect only weights are quantized.
     */
    BITS_15(2);

    private final int digits;

    Activations(int digits) {
      this.digits = digits;
    }

    /** How many integers stand for one number. */
    int digits() {
      return digits;
    }

    /** What a row's largest value becomes. */
    public int levels() {
      return digits == 1 ? LEVELS : LEVELS * BASE;
    }
  }

  /** The largest 8-bit integer used; the range is symmetric. */
  public static final int LEVELS = 127;

  /** The most summands of a product, so that their sum is a 32-bit integer. */
  public static final long LONGEST = Integer.MAX_VALUE / (LEVELS * LEVELS);

  /** What the upper of two digits counts. */
  static final int BASE = 128;

  /**
   * Rows that are rounded, multiplied and scaled together: what is made of them stays in the cache
   * meanwhile. On two cores of an EPYC 4,096 rows took 10 to 25 % longer at once.
   */
  static final long ROWS = 512;

  /** Below this a row counts as zero: its values have no integers. */
  static final double SMALLEST = 1e-30;

  private Int8() {}

  private static final class Kernels {
    static final Operator PRODUCT = Operator.named("aten::_int_mm");
    static final Operator ROUND = Operator.named("aten::round_");
    static final Operator MULTIPLY_ADD = Operator.named("aten::addcmul.out");
    static final boolean EXACT = isExact();

    /** Without VNNI, kernels may add in 16 bits, and saturate. */
    private static boolean isExact() {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor extreme = Tensor.full(LEVELS, DType.INT8, 64, 64);
        Tensor product = PRODUCT.call(extreme, extreme.t());
        return product.eq(64L * LEVELS * LEVELS).all();
      }
    }
  }

  /**
   * {@code x Wᵀ}, exact.
   *
   * @param x int8 [M, K], K at most {@link #LONGEST}
   * @param weight int8 [N, K]
   * @return int32 [M, N]
   */
  public static Tensor product(Tensor x, Tensor weight) {
    Flops.linear(x, weight);
    return sums(x, weight);
  }

  private static Tensor sums(Tensor x, Tensor weight) {
    return Kernels.EXACT ? Kernels.PRODUCT.call(x, weight.t()) : inDoubles(x, weight);
  }

  /** As {@link #product}, where the engine has no kernel that can be relied upon. */
  static Tensor inDoubles(Tensor x, Tensor weight) {
    return x.to(DType.FLOAT64).matmul(weight.to(DType.FLOAT64).t()).to(DType.INT32);
  }

  /**
   * {@code x Wᵀ + b} with each row of x rounded to integers, in steps of its largest absolute value
   * over {@link Activations#levels}: the sums are exact, and scaled by the outer product of the
   * rows' and the weights' steps. A single row of 8 bits is shared out among threads; for few rows
   * of 15 bits see {@link Int8Packed}.
   *
   * @param x float32 [M, K]
   * @param weight int8 [N, K]
   * @param scale float32 [N], what 1 stands for in each row of the weight
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public static Tensor linear(
      Tensor x, Tensor weight, Tensor scale, Tensor bias, Activations activations) {
    Flops.linear(x, weight);
    if (activations == Activations.BITS_8
        && Int8Vector.suits(x, weight, scale, bias)
        && Kernels.EXACT) {
      return Int8Vector.linear(x, weight, scale, bias);
    }
    Tensor result = Tensor.empty(DType.FLOAT32, x.size(0), weight.size(0));
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (long from = 0; from < x.size(0); from += ROWS) {
        long count = Math.min(ROWS, x.size(0) - from);
        try (Scope rows = Scope.open()) {
          multiply(
              x.narrow(0, from, count),
              weight,
              scale,
              bias,
              activations,
              result.narrow(0, from, count));
        }
      }
    }
    return result;
  }

  private static void multiply(
      Tensor x, Tensor weight, Tensor scale, Tensor bias, Activations activations, Tensor result) {
    Tensor largest = x.abs().max(1, true).clamp(SMALLEST, Double.POSITIVE_INFINITY);
    Tensor whole = x.mul(Tensor.full(activations.levels(), DType.FLOAT32, 1).div(largest));
    Kernels.ROUND.call(whole);
    result.copy_(
        activations == Activations.BITS_8
            ? sums(whole.to(DType.INT8), weight)
            : twoDigits(whole, weight));
    result.mul_(largest.mul_(1.0 / activations.levels()));
    if (bias == null) {
      result.mul_(scale);
    } else {
      Kernels.MULTIPLY_ADD.call(bias, result, scale, 1.0, result);
    }
  }

  private static Tensor twoDigits(Tensor whole, Tensor weight) {
    Tensor upper = Kernels.ROUND.call(whole.mul(1.0 / BASE));
    Tensor lower = whole.add_(upper, -BASE);
    Tensor sums = sums(Tensor.cat(0, upper, lower).to(DType.INT8), weight).to(DType.FLOAT32);
    long rows = whole.size(0);
    return sums.narrow(0, rows, rows).add_(sums.narrow(0, 0, rows), BASE);
  }
}
