package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.Equations.array;
import static dev.jformer.data.incontext.Equations.dot;
import static dev.jformer.data.incontext.Equations.gaussian;
import static dev.jformer.data.incontext.Equations.gram;
import static dev.jformer.data.incontext.Equations.products;
import static dev.jformer.data.incontext.Equations.solve;
import static dev.jformer.data.incontext.Equations.squares;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The Bayes predictor on a grid against joint densities of all outputs. */
class NoiseGridLearnerTest {
  private static final SplittableRandom RANDOM = new SplittableRandom(17);

  /** The evidence of each deviation from the joint density of all outputs. */
  @Test
  void theGridIsTheMixtureByEvidence() {
    int n = 3;
    NoiseGridLearner learner = new NoiseGridLearner(0.2, 1.8, 7);
    Learner.Run run = learner.start(n);
    List<double[]> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    for (int t = 1; t <= 9; t++) {
      xs.add(gaussian(n, RANDOM));
      ys.add(2 * RANDOM.nextGaussian());
      run.observe(xs.get(t - 1), ys.get(t - 1));
      double[] query = gaussian(n, RANDOM);
      double total = 0;
      double first = 0;
      double second = 0;
      for (int i = 0; i < 7; i++) {
        double noise = Math.pow(0.2 + 1.6 * (i + 0.5) / 7, 2);
        double[][] covariance = gram(xs, noise);
        double[] y = array(ys);
        double weight =
            Math.exp(-0.5 * dot(y, solve(covariance, y))) / Math.sqrt(determinant(covariance));
        double[][] matrix = squares(xs, n, noise);
        double mean = dot(solve(matrix, products(xs, ys, n)), query);
        double variance = noise * (1 + dot(query, solve(matrix, query)));
        total += weight;
        first += weight * mean;
        second += weight * (variance + mean * mean);
      }
      double mean = first / total;
      assertEquals(mean, run.predict(query), 1e-9);
      assertEquals(second / total - mean * mean, run.variance(query), 1e-9);
    }
  }

  private static double determinant(double[][] matrix) {
    int n = matrix.length;
    if (n == 1) {
      return matrix[0][0];
    }
    // Schur complements: the matrices are positive definite.
    double[][] rest = new double[n - 1][n - 1];
    for (int i = 1; i < n; i++) {
      for (int j = 1; j < n; j++) {
        rest[i - 1][j - 1] = matrix[i][j] - matrix[i][0] * matrix[0][j] / matrix[0][0];
      }
    }
    return matrix[0][0] * determinant(rest);
  }
}
