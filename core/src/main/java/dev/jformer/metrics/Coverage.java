package dev.jformer.metrics;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** The coverage of a band around forecasts: how often the truth lies within it, and its width. */
public final class Coverage {
  private long values;
  private double inside;
  private double width;

  /** Adds a batch; the three have one shape, as [B, P, C]. Values on the edges count as inside. */
  public void add(Tensor lower, Tensor upper, Tensor truth) {
    if (!lower.shape().equals(truth.shape()) || !upper.shape().equals(truth.shape())) {
      throw new DataException(
          "expected a band and a truth of the same shape, got %s, %s and %s"
              .formatted(lower.shape(), upper.shape(), truth.shape()));
    }
    try (Scope scope = Scope.open()) {
      inside += truth.ge(lower).and(truth.le(upper)).to(DType.FLOAT64).sum().item();
      width += upper.to(DType.FLOAT64).sub(lower.to(DType.FLOAT64)).sum().item();
    }
    values += truth.elements();
  }

  /** The share of values within the band; NaN if there are none. */
  public double share() {
    return inside / values;
  }

  /** The band's mean width, upper minus lower edge; NaN if there are none. */
  public double meanWidth() {
    return width / values;
  }
}
