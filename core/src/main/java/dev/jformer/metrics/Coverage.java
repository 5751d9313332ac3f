package dev.jformer.metrics;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** Counts over batches how often the truth lies within a band, and how wide the band is. */
public final class Coverage {
  private long values;
  private double inside;
  private double width;

  /** Adds a batch; the three have one shape, as [B, P, C]. The edges count as inside. */
  public void add(Tensor lower, Tensor upper, Tensor truth) {
    if (!lower.shape().equals(truth.shape()) || !upper.shape().equals(truth.shape())) {
      throw new DataException(
          "expected a band and the truth of one shape, got %s, %s and %s"
              .formatted(lower.shape(), upper.shape(), truth.shape()));
    }
    try (Scope scope = Scope.open()) {
      inside += truth.ge(lower).and(truth.le(upper)).to(DType.FLOAT64).sum().item();
      width += upper.to(DType.FLOAT64).sub(lower.to(DType.FLOAT64)).sum().item();
    }
    values += truth.elements();
  }

  /** The share of values within the band; NaN without any. */
  public double share() {
    return inside / values;
  }

  /** The band's mean width, upper less lower edge; NaN without any. */
  public double meanWidth() {
    return width / values;
  }
}
