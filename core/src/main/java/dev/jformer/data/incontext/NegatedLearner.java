package dev.jformer.data.incontext;

/**
 * A solver that sees inputs and outputs negated.
 *
 * @param learner the solver
 */
public record NegatedLearner(Learner learner) implements Learner {
  @Override
  public String name() {
    return learner.name();
  }

  @Override
  public Run start(int inputs) {
    Run run = learner.start(inputs);
    return new Run() {
      @Override
      public double predict(double[] x) {
        return -run.predict(Negation.of(x));
      }

      @Override
      public void observe(double[] x, double y) {
        run.observe(Negation.of(x), -y);
      }
    };
  }
}
