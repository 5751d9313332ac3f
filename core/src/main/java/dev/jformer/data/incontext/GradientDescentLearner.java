package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * Some steps of gradient descent on the squared error of all examples, from weights of 0. The rate
 * is the inverse of the largest eigenvalue of the mean of x xᵀ.
 *
 * @param steps number of steps
 */
public record GradientDescentLearner(int steps) implements Learner {
  private static final int ROUNDS = 200;

  /** Checks the values. */
  public GradientDescentLearner {
    Checks.atLeast("steps", steps, 0);
  }

  @Override
  public String name() {
    return steps + " steps of gradient descent";
  }

  @Override
  public Run start(int inputs) {
    return new NormalEquations(inputs) {
      @Override
      double[] weights(double[][] square, double[] product) {
        double[] w = new double[product.length];
        double largest = largestEigenvalue(square);
        for (int step = 0; step < steps && largest > 0; step++) {
          double[] reached = Matrices.times(square, w);
          for (int i = 0; i < w.length; i++) {
            w[i] += (product[i] - reached[i]) / largest;
          }
        }
        return w;
      }
    };
  }

  /** By multiplying again and again. */
  static double largestEigenvalue(double[][] square) {
    double[] v = new double[square.length];
    java.util.Arrays.setAll(v, i -> 1 + 0.1 * i);
    double length = 0;
    for (int round = 0; round < ROUNDS; round++) {
      v = Matrices.times(square, v);
      length = Math.sqrt(Draws.dot(v, v));
      for (int i = 0; i < v.length && length > 0; i++) {
        v[i] /= length;
      }
    }
    return length;
  }
}
