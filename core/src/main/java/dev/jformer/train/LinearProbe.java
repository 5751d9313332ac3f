package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A linear probe: how well a linear classifier of features does, which shows what a frozen model
 * has learned (<a href="https://arxiv.org/abs/1610.01644">Understanding intermediate layers using
 * linear classifier probes</a>). Features are standardised; the classifier minimises the mean
 * cross-entropy plus {@code decay / 2 |W|²}, on all examples at once, by accelerated descent in
 * float64. So its result depends on the features only, not on draws.
 *
 * @param decay weight of the penalty
 * @param iterations steps of the descent
 */
public record LinearProbe(double decay, int iterations) {
  private static final Operator EIGENVALUES = Operator.named("aten::linalg_eigvalsh");
  private static final double LEAST_DEVIATION = 1e-8;

  /** A weak penalty, and steps enough for some hundred features. */
  public LinearProbe() {
    this(1e-3, 500);
  }

  /** Checks the values. */
  public LinearProbe {
    Checks.moreThan("decay", decay, 0);
    Checks.atLeast("iterations", iterations, 1);
  }

  /**
   * The share of test examples that the classifier of the other examples gets right.
   *
   * @param features [N, D] of the examples
   * @param labels [N], from 0
   * @param test [M, D]
   * @param right [M]
   * @return 0 to 1
   */
  public double accuracy(Tensor features, int[] labels, Tensor test, int[] right) {
    Probes.check(features, labels, test, right);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor x = features.to(DType.FLOAT64);
      Tensor mean = x.mean(0, true);
      Tensor deviation =
          x.variance(0, false).unsqueeze(0).sqrt().clamp(LEAST_DEVIATION, Double.MAX_VALUE);
      Tensor weights =
          fit(withOnes(x.sub(mean).div(deviation)), labels, Probes.classes(labels, right));
      Tensor asked = withOnes(test.to(DType.FLOAT64).sub(mean).div(deviation));
      long[] best = asked.matmul(weights).argmax(1).toLongs();
      int hits = 0;
      for (int i = 0; i < best.length; i++) {
        hits += best[i] == right[i] ? 1 : 0;
      }
      return (double) hits / best.length;
    }
  }

  private static Tensor withOnes(Tensor x) {
    return Tensor.cat(1, x, Tensor.full(1.0, DType.FLOAT64, x.size(0), 1));
  }

  /** The weights [D + 1, K] of standardised features [N, D + 1], whose last column is ones. */
  Tensor fit(Tensor x, int[] labels, int classes) {
    double n = labels.length;
    long[] wide = new long[labels.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = labels[i];
    }
    Tensor targets =
        Tensor.zeros(DType.FLOAT64, labels.length, classes)
            .scatter(1, Tensor.of(wide, wide.length).unsqueeze(1), 1.0);
    double[] values = EIGENVALUES.call(x.t().matmul(x).div(n), "L").toDoubles();
    double step = 1 / (0.5 * values[values.length - 1] + decay);
    Tensor weights = Tensor.zeros(DType.FLOAT64, x.size(1), classes);
    Tensor ahead = weights;
    double t = 1;
    for (int i = 0; i < iterations; i++) {
      try (Scope scope = Scope.open()) {
        Tensor error = x.matmul(ahead).softmax(1).sub(targets);
        Tensor gradient = x.t().matmul(error).div(n).add(ahead.mul(decay));
        Tensor next = ahead.sub(gradient.mul(step));
        double later = (1 + Math.sqrt(1 + 4 * t * t)) / 2;
        Tensor moved = next.add(next.sub(weights), (t - 1) / later);
        t = later;
        weights.close();
        if (i > 0) {
          ahead.close();
        }
        weights = next.keep();
        ahead = moved.keep();
      }
    }
    ahead.close();
    Tensor found = weights.copy();
    weights.close();
    return found;
  }
}
