package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * The lasso (<a href="https://doi.org/10.1111/j.2517-6161.1996.tb02080.x">Regression Shrinkage and
 * Selection via the Lasso</a>): least squares plus the sum of absolute weights, by coordinate
 * descent. It minimises (1/2t) Σ (y - w·x)² + penalty · Σ |w_i|.
 *
 * @param penalty the factor of the absolute weights
 */
public record LassoLearner(double penalty) implements Learner {
  private static final int MOST_SWEEPS = 1000;
  private static final double SMALL_CHANGE = 1e-8;

  /** Checks the values. */
  public LassoLearner {
    Checks.moreThan("penalty", penalty, 0);
  }

  @Override
  public String name() {
    return "lasso";
  }

  @Override
  public Run start(int inputs) {
    return new Fit(inputs);
  }

  private final class Fit extends RememberingRun {
    private final double[] w;

    Fit(int inputs) {
      this.w = new double[inputs];
    }

    @Override
    public double predict(double[] x) {
      return Draws.dot(w, x);
    }

    @Override
    public void observe(double[] x, double y) {
      super.observe(x, y);
      double[] errors = new double[count()];
      for (int t = 0; t < errors.length; t++) {
        errors[t] = output(t) - Draws.dot(w, input(t));
      }
      double change = 1;
      for (int sweep = 0; sweep < MOST_SWEEPS && change > SMALL_CHANGE; sweep++) {
        change = 0;
        for (int i = 0; i < w.length; i++) {
          change = Math.max(change, Math.abs(improve(i, errors)));
        }
      }
    }

    /** Sets one weight to its best value; returns its change. */
    private double improve(int i, double[] errors) {
      double size = 0;
      double pull = 0;
      for (int t = 0; t < errors.length; t++) {
        double value = input(t)[i];
        size += value * value;
        pull += value * errors[t];
      }
      if (size == 0) {
        return 0;
      }
      double full = pull + size * w[i];
      double bound = penalty * errors.length;
      double best = Math.abs(full) <= bound ? 0 : (full - Math.signum(full) * bound) / size;
      double change = best - w[i];
      for (int t = 0; t < errors.length && change != 0; t++) {
        errors[t] -= change * input(t)[i];
      }
      w[i] = best;
      return change;
    }
  }
}
