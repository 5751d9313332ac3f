package dev.jformer.data.incontext;

import java.util.Arrays;

/**
 * Learns conjunctions by elimination (<a href="https://doi.org/10.1145/1968.1972">A Theory of the
 * Learnable</a>): it begins with all literals and drops those that a positive example does not
 * satisfy. It never calls a negative example positive.
 */
public record EliminationLearner() implements Learner {
  @Override
  public String name() {
    return "elimination";
  }

  @Override
  public Run start(int inputs) {
    boolean[] plain = new boolean[inputs];
    boolean[] negated = new boolean[inputs];
    Arrays.fill(plain, true);
    Arrays.fill(negated, true);
    return new Run() {
      @Override
      public double predict(double[] x) {
        for (int i = 0; i < inputs; i++) {
          if (x[i] > 0 ? negated[i] : plain[i]) {
            return -1;
          }
        }
        return 1;
      }

      @Override
      public void observe(double[] x, double y) {
        for (int i = 0; i < inputs && y > 0; i++) {
          if (x[i] > 0) {
            negated[i] = false;
          } else {
            plain[i] = false;
          }
        }
      }
    };
  }
}
