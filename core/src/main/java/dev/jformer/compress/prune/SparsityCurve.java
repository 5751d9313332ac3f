package dev.jformer.compress.prune;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * The loss of quality of a pruned model by its sparsity, and the <em>essential sparsity</em> that
 * follows from it (<a href="https://arxiv.org/abs/2306.03805">The Emergence of Essential Sparsity
 * in Large Pre-trained Models: The Weights that Matter</a>): the point beyond which quality falls
 * sharply when more weights are removed at once.
 *
 * @param sparsities shares of the weights that are removed, rising; at least two
 * @param losses what is lost at each, relative to the model with all weights: 0.01 for 1 %
 */
public record SparsityCurve(List<Double> sparsities, List<Double> losses) {
  /** Below this slope the curve counts as flat. */
  private static final double FLAT = 1e-3;

  /** Checks the values. */
  public SparsityCurve {
    sparsities = List.copyOf(sparsities);
    losses = List.copyOf(losses);
    if (sparsities.size() < 2
        || losses.size() != sparsities.size()
        || !sparsities.equals(sparsities.stream().distinct().sorted().toList())) {
      throw new IllegalArgumentException(
          "sparsities is "
              + sparsities
              + " and losses is "
              + losses
              + ": expected at least two rising sparsities and a loss for each");
    }
  }

  /**
   * Measures a curve.
   *
   * @param loss returns the relative loss of the model pruned to a sparsity
   */
  public static SparsityCurve of(List<Double> sparsities, DoubleUnaryOperator loss) {
    return new SparsityCurve(sparsities, sparsities.stream().map(loss::applyAsDouble).toList());
  }

  /**
   * Returns the essential sparsity: the largest of the sparsities up to which no loss is larger
   * than {@code tolerance}, for example 0.01; 0 if the first is.
   */
  public double essential(double tolerance) {
    double largest = 0;
    for (int i = 0; i < losses.size() && losses.get(i) <= tolerance; i++) {
      largest = sparsities.get(i);
    }
    return largest;
  }

  /** Returns the loss at a sparsity, interpolated between the nearest ones. */
  public double at(double sparsity) {
    int i = 1;
    while (i < last() && sparsities.get(i) < sparsity) {
      i++;
    }
    return losses.get(i - 1) + slope(i - 1, i) * (sparsity - sparsities.get(i - 1));
  }

  /** Returns the sparsity at which the curve is farthest below the line between its ends. */
  public double knee() {
    return sparsities.get(kneeIndex());
  }

  /** Returns the mean slope after the knee divided by that before it; 1 if the knee is an end. */
  public double bend() {
    int knee = kneeIndex();
    return knee == 0 || knee == last() ? 1 : slope(knee, last()) / Math.max(slope(0, knee), FLAT);
  }

  private int kneeIndex() {
    return IntStream.rangeClosed(0, last())
        .reduce(0, (best, i) -> belowLine(i) > belowLine(best) ? i : best);
  }

  /** How far a point is below the line between the ends, as a share of the curve's height. */
  private double belowLine(int i) {
    double width = sparsities.get(last()) - sparsities.get(0);
    double height = losses.get(last()) - losses.get(0);
    return (sparsities.get(i) - sparsities.get(0)) / width
        - (losses.get(i) - losses.get(0)) / height;
  }

  private double slope(int from, int to) {
    return (losses.get(to) - losses.get(from)) / (sparsities.get(to) - sparsities.get(from));
  }

  private int last() {
    return losses.size() - 1;
  }
}
