package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * Ridge regression, brought up to date with each example. It is the best predictor of linear
 * functions with weights from N(0, I) and noise of variance {@code penalty}.
 *
 * @param penalty the factor of the squared norm of the weights
 */
public record RidgeLearner(double penalty) implements Learner {
  /** Checks the values. */
  public RidgeLearner {
    Checks.moreThan("penalty", penalty, 0);
  }

  @Override
  public String name() {
    return "ridge";
  }

  @Override
  public Run start(int inputs) {
    GaussianPosterior posterior = new GaussianPosterior(inputs, penalty);
    return new Run() {
      @Override
      public double predict(double[] x) {
        return posterior.predict(x);
      }

      @Override
      public double variance(double[] x) {
        return posterior.variance(x);
      }

      @Override
      public void observe(double[] x, double y) {
        posterior.observe(x, y);
      }
    };
  }
}
