package dev.jformer.adapt;

import dev.jformer.nn.Initializer;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The values of an update {@code scale · B A} of a matrix.
 *
 * @param a A, [r, in]
 * @param b B, [out, r]
 * @param scale factor of the product
 * @param magnitude the norms that DoRA gives the matrix's rows, [out]; null for a plain update
 * @param affine changes of the matrix's outputs, with which the update is {@code scale · B ReLU(A
 *     x)}; null for a plain update
 */
public record LowRankFactors(
    Tensor a, Tensor b, double scale, Tensor magnitude, AffineChange affine) {
  /** Checks that the shapes fit together. */
  public LowRankFactors {
    if (a.rank() != 2 || b.rank() != 2 || a.size(0) != b.size(1)) {
      throw new IllegalArgumentException(
          "A is "
              + a.shape()
              + " and B "
              + b.shape()
              + ": expected [r, in] and [out, r] of the same rank r");
    }
    if (magnitude != null && (magnitude.rank() != 1 || magnitude.size(0) != b.size(0))) {
      throw new IllegalArgumentException(
          "the magnitude is " + magnitude.shape() + ": expected [" + b.size(0) + "]");
    }
    if (affine != null && (magnitude != null || affine.shift().size(0) != b.size(0))) {
      throw new IllegalArgumentException(
          "the shift is "
              + affine.shift().shape()
              + ": expected ["
              + b.size(0)
              + "], and no magnitude");
    }
  }

  /** A plain update, or DoRA's. */
  public LowRankFactors(Tensor a, Tensor b, double scale, Tensor magnitude) {
    this(a, b, scale, magnitude, null);
  }

  /** Returns this update beside changes of the outputs. */
  public LowRankFactors with(AffineChange change) {
    return new LowRankFactors(a, b, scale, magnitude, change);
  }

  /** A plain update. */
  public LowRankFactors(Tensor a, Tensor b, double scale) {
    this(a, b, scale, null);
  }

  /** LoRA's start: A is drawn at random, B is zero, so the update is zero. */
  static LowRankFactors random(AdapterTarget target, int rank, double scale) {
    return new LowRankFactors(
        Initializer.uniformFanIn().create(rank, target.width()),
        Tensor.zeros(target.rows(), rank),
        scale);
  }

  /** LoRA's start of each matrix. */
  static Map<AdapterTarget, LowRankFactors> random(
      Iterable<AdapterTarget> targets, int rank, double scale) {
    Map<AdapterTarget, LowRankFactors> starts = new LinkedHashMap<>();
    targets.forEach(target -> starts.put(target, random(target, rank, scale)));
    return starts;
  }

  /** The rank r. */
  public int rank() {
    return Math.toIntExact(a.size(0));
  }

  /** The update without magnitudes, [out, in]. */
  public Tensor product() {
    return b.matmul(a).mul(scale);
  }
}
