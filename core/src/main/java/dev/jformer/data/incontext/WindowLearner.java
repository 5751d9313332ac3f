package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * A solver that is given the inputs of the last examples side by side, newest first, and zeros
 * before the first example.
 *
 * @param learner the solver
 * @param window how many examples
 */
public record WindowLearner(Learner learner, int window) implements Learner {
  /** Checks the values. */
  public WindowLearner {
    Checks.notNull("learner", learner);
    Checks.atLeast("window", window, 1);
  }

  @Override
  public String name() {
    return learner.name() + " on windows";
  }

  @Override
  public Run start(int inputs) {
    Run run = learner.start(inputs * window);
    return new Run() {
      private double[] seen = new double[inputs * window];

      private double[] with(double[] x) {
        double[] all = new double[seen.length];
        System.arraycopy(x, 0, all, 0, inputs);
        System.arraycopy(seen, 0, all, inputs, seen.length - inputs);
        return all;
      }

      @Override
      public double predict(double[] x) {
        return run.predict(with(x));
      }

      @Override
      public double variance(double[] x) {
        return run.variance(with(x));
      }

      @Override
      public void observe(double[] x, double y) {
        double[] all = with(x);
        run.observe(all, y);
        seen = all;
      }
    };
  }
}
