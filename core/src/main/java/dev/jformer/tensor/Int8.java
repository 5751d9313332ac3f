package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;

/**
 * Products of 8-bit integers, and linear maps on them. On processors with VNNI (AVX-512) an 8-bit
 * product runs at about four times the speed of a float32 one, and reads a quarter of the memory.
 */
public final class Int8 {
  /** The precision to which activations are rounded before the product. */
  public enum Activations {
    /** To 8 bits: one product. */
    BITS_8(1),
    /**
     * To 15 bits: two products, of the upper digits and of the lower ones. The error is 2⁻¹⁵ of a
     * row's largest value, so that in effect only the weights are quantized.
     */
    BITS_15(2);

    private final int digits;

    Activations(int digits) {
      this.digits = digits;
    }

    /** Number of 8-bit integers that represent one activation. */
    int digits() {
      return digits;
    }

    /** The integer that a row's largest absolute value is rounded to. */
    public int levels() {
      return digits == 1 ? LEVELS : LEVELS * BASE;
    }
  }

  /** The largest 8-bit integer used; the range is symmetric. */
  public static final int LEVELS = 127;

  /** The most summands of a product whose sum surely fits a 32-bit integer. */
  public static final long LONGEST = Integer.MAX_VALUE / (LEVELS * LEVELS);

  /** Rows for which slow loops are still faster than making the weights floats. */
  private static final long FEW_ROWS = 2;

  /** The most summands of a product whose sum surely is exact in float32. */
  private static final long LONGEST_IN_FLOATS = (1 << 24) / (LEVELS * LEVELS);

  /** The base of the two digits of a 15-bit activation. */
  static final int BASE = 128;

  /**
   * Rows that are rounded, multiplied and scaled together, so that intermediate results stay in the
   * cache. On two cores of an EPYC, 4,096 rows at once took 10 to 25 % longer.
   */
  static final long ROWS = 512;

  /** From so many rows on the weight is brought into the kernel's order once for all of them. */
  private static final long MANY_ROWS = 256;

  /**
   * So many rows are multiplied together where the matrix is large, such as an output layer, and is
   * read from memory for each part: on a Xeon 16 rows took up to 50 % longer, 512 rows 20 to 50 %.
   */
  private static final long FEWEST_ROWS = 128;

  /** Floats that stay in the second cache while they are rounded or scaled. */
  private static final long CACHED = 1 << 18;

  /** Weights that become floats at a time, for a product that keeps both threads busy. */
  private static final long FLOATS = 1 << 21;

  /** A row whose largest absolute value is below this counts as zero. */
  static final double SMALLEST = 1e-30;

  private Int8() {}

  /** Whether there are products of few rows that are faster than {@link #linear}. */
  public static boolean hasRowProduct(Tensor weight) {
    return weight.isOnHost();
  }

  /**
   * Products of few rows: as {@link #linear} with {@link Activations#BITS_15}, or without rounding
   * activations.
   *
   * @param weight int8 [N, K], which has to live as long
   * @param scale float32 [N], the step of each row
   */
  public static RowProduct rowProduct(Tensor weight, Tensor scale) {
    return new Int8Product(weight, scale);
  }

  private static final class Kernels {
    static final Operator PRODUCT = Operator.named("aten::_int_mm");
    static final Operator ROUND = Operator.named("aten::round_");
    static final Operator MULTIPLY_ADD = Operator.named("aten::addcmul.out");
    static final boolean EXACT = isExact();

    /**
     * Without VNNI oneDNN is not exact, and {@code _int_mm}, where it is, is computed by loops that
     * take 20 to 60 times as long as a product of floats (512 rows on an EPYC with AVX2).
     */
    static final boolean FAST = EXACT && UnsignedProduct.isExact();

    /** Without VNNI, kernels may add in 16 bits, and saturate. */
    private static boolean isExact() {
      try (Scope scope = Scope.open();
          Mode host = Device.host();
          Mode mode = Autograd.noGrad()) {
        Tensor extreme = Tensor.full(LEVELS, DType.INT8, 64, 64);
        Tensor product = PRODUCT.call(extreme, extreme.t());
        return product.eq(64L * LEVELS * LEVELS).all();
      }
    }
  }

  /**
   * Exact matrix product {@code x Wᵀ} of 8-bit integers.
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
    boolean suits = Kernels.FAST || x.size(0) <= FEW_ROWS;
    return x.isOnHost() && Kernels.EXACT && suits ? exact(x, weight) : inFloats(x, weight);
  }

  /**
   * The kernel's product. It reads memory that it should not with one feature, so such matrices get
   * a second one of zeros; and it refuses empty ones.
   */
  private static Tensor exact(Tensor x, Tensor weight) {
    if (x.elements() == 0 || weight.elements() == 0) {
      return Tensor.zeros(DType.INT32, x.size(0), weight.size(0));
    }
    return x.size(1) == 1
        ? Kernels.PRODUCT.call(Functional.pad(x, 0, 0, 1), Functional.pad(weight, 0, 0, 1).t())
        : Kernels.PRODUCT.call(x, weight.t());
  }

  /**
   * Like {@link #product}, for machines and devices without a fast exact kernel: sums so short that
   * float32 has them exactly, added up as integers.
   */
  static Tensor inFloats(Tensor x, Tensor weight) {
    return Scope.tidy(
        () -> {
          Tensor sum = Tensor.zeros(DType.INT32, x.size(0), weight.size(0));
          for (long from = 0; from < x.size(1); from += LONGEST_IN_FLOATS) {
            long count = Math.min(LONGEST_IN_FLOATS, x.size(1) - from);
            Tensor some = x.narrow(1, from, count).to(DType.FLOAT32);
            Tensor weights = weight.narrow(1, from, count).to(DType.FLOAT32);
            sum.add_(some.matmul(weights.t()).to(DType.INT32));
          }
          return sum;
        });
  }

  /**
   * Linear map {@code x Wᵀ + b} with each row of x rounded to integers; the step of a row is its
   * largest absolute value over {@link Activations#levels}. The integer sums are exact and are
   * scaled by the outer product of the rows' and the weights' steps. A single row of 8 bits is
   * shared out among threads; for few rows of 15 bits see {@link #rowProduct}.
   *
   * @param x float32 [M, K]
   * @param weight int8 [N, K]
   * @param scale float32 [N], the step of each row of the weight
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public static Tensor linear(
      Tensor x, Tensor weight, Tensor scale, Tensor bias, Activations activations) {
    return linear(x, null, weight, scale, bias, activations);
  }

  /**
   * The same for rows whose largest absolute values are known.
   *
   * @param known of each row, as {@link #largest} returns it; null if they are not known
   */
  public static Tensor linear(
      Tensor x, Tensor known, Tensor weight, Tensor scale, Tensor bias, Activations activations) {
    Flops.linear(x, weight);
    if (activations == Activations.BITS_8
        && Int8Vector.suits(x, weight, scale, bias)
        && Kernels.EXACT) {
      return Int8Vector.linear(x, weight, scale, bias);
    }
    Tensor result = Tensor.empty(DType.FLOAT32, x.size(0), weight.size(0));
    boolean packed =
        activations == Activations.BITS_8
            && x.size(0) >= MANY_ROWS
            && weight.elements() > 0
            && x.dtype() == DType.FLOAT32
            && x.isOnHost()
            && UnsignedProduct.isExact();
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        UnsignedProduct product = packed ? new UnsignedProduct(weight.contiguous(), scale) : null) {
      Tensor largest = known == null ? largest(x) : known;
      long rows = packed ? cached(weight) : ROWS;
      for (long from = 0; from < x.size(0); from += rows) {
        long count = Math.min(rows, x.size(0) - from);
        try (Scope some = Scope.open()) {
          Tensor most = largest.narrow(0, from, count);
          Tensor whole = rounded(x.narrow(0, from, count), most, activations);
          Tensor steps = most.mul(1.0 / activations.levels());
          Tensor target = result.narrow(0, from, count);
          if (packed) {
            scale(product(product, whole), steps, bias, target);
            continue;
          }
          target.copy_(
              activations == Activations.BITS_8
                  ? sums(whole.to(DType.INT8), weight)
                  : twoDigits(whole, weight));
          scale(target.mul_(steps), scale, bias, target);
        }
      }
    }
    return result;
  }

  /** Whether products of integers are faster here than converting the weights to floats. */
  public static boolean isFast(Tensor weight) {
    return weight.isOnHost() && Kernels.FAST;
  }

  /**
   * Linear map {@code x Wᵀ + b} in which the weights become floats, some rows of the matrix at a
   * time; x is not rounded.
   *
   * @param x float32 [M, K]
   * @param weight int8 [N, K]
   * @param scale float32 [N], the step of each row of the weight
   * @param bias float32 [N] or null
   * @return float32 [M, N]; no gradient flows through it
   */
  public static Tensor ofFloats(Tensor x, Tensor weight, Tensor scale, Tensor bias) {
    Flops.linear(x, weight);
    Tensor result = Tensor.empty(DType.FLOAT32, x.size(0), weight.size(0));
    long rows = Math.max(FEWEST_ROWS, FLOATS / Math.max(1, weight.size(1)));
    try (Mode mode = Autograd.noGrad()) {
      for (long from = 0; from < weight.size(0); from += rows) {
        try (Scope scope = Scope.open()) {
          long count = Math.min(rows, weight.size(0) - from);
          Tensor floats = weight.narrow(0, from, count).to(DType.FLOAT32);
          result.narrow(1, from, count).copy_(x.matmul(floats.t()));
        }
      }
      result.mul_(scale);
      return bias == null ? result : result.add_(bias);
    }
  }

  /** How many rows of a product with a matrix stay in the cache, or make it worth reading it. */
  private static long cached(Tensor weight) {
    return Math.max(FEWEST_ROWS, CACHED / Math.max(weight.size(0), weight.size(1)));
  }

  private static Tensor product(UnsignedProduct product, Tensor whole) {
    Tensor codes = whole.add_(UnsignedProduct.ZERO).to(DType.UINT8);
    return Native.call("product", () -> product.of(codes.torch()), codes);
  }

  private static void scale(Tensor sums, Tensor factor, Tensor bias, Tensor target) {
    if (bias != null) {
      Kernels.MULTIPLY_ADD.call(bias, sums, factor, 1.0, target);
    } else if (sums == target) {
      target.mul_(factor);
    } else {
      target.copy_(sums.mul_(factor));
    }
  }

  /**
   * The largest absolute value of each row.
   *
   * @param x [M, K]
   * @return [M, 1]; not below the smallest value that counts, and NaN for a row that has one
   */
  public static Tensor largest(Tensor x) {
    return Scope.tidy(
        () -> {
          List<Tensor> parts = new ArrayList<>();
          long rows = Math.max(16, CACHED / Math.max(1, x.size(1)));
          for (long from = 0; from < x.size(0); from += rows) {
            Tensor some = x.narrow(0, from, Math.min(rows, x.size(0) - from));
            parts.add(Scope.tidy(() -> some.abs().max(1, true)));
          }
          Tensor all =
              parts.isEmpty()
                  ? Tensor.zeros(x.dtype(), 0, 1)
                  : parts.size() == 1 ? parts.get(0) : Tensor.cat(0, parts.toArray(Tensor[]::new));
          return all.clamp(SMALLEST, Double.POSITIVE_INFINITY);
        });
  }

  /** Rows in steps of their largest value over the levels, as whole floats. */
  private static Tensor rounded(Tensor x, Tensor largest, Activations activations) {
    Tensor whole = x.mul(Tensor.full(activations.levels(), DType.FLOAT32, 1).div(largest));
    return Kernels.ROUND.call(whole);
  }

  private static Tensor twoDigits(Tensor whole, Tensor weight) {
    Tensor upper = Kernels.ROUND.call(whole.mul(1.0 / BASE));
    Tensor lower = whole.add_(upper, -BASE);
    Tensor sums = sums(Tensor.cat(0, upper, lower).to(DType.INT8), weight).to(DType.FLOAT32);
    long rows = whole.size(0);
    return sums.narrow(0, rows, rows).add_(sums.narrow(0, 0, rows), BASE);
  }
}
