package dev.jformer.data.incontext;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Gradient descent and Newton's iteration, against closed forms and least squares. */
class IterativeLearnersTest {
  private static double[][] inputs(int count, int n, SplittableRandom random) {
    double[][] x = new double[count][];
    for (int i = 0; i < count; i++) {
      x[i] = Draws.normal(n, random);
    }
    return x;
  }

  private static double predicted(Learner learner, double[][] x, double[] y, double[] query) {
    Learner.Run run = learner.start(query.length);
    for (int i = 0; i < x.length; i++) {
      run.observe(x[i], y[i]);
    }
    return run.predict(query);
  }

  @Test
  void manyStepsAreLeastSquares() {
    SplittableRandom random = new SplittableRandom(1);
    for (int n : new int[] {1, 2, 5}) {
      double[][] x = inputs(4 * n, n, random);
      double[] y = Draws.normal(4 * n, random);
      double[] query = Draws.normal(n, random);
      double exact = predicted(new LeastSquaresLearner(), x, y, query);
      assertEquals(exact, predicted(new NewtonLearner(40), x, y, query), 1e-8);
      assertEquals(exact, predicted(new GradientDescentLearner(5000), x, y, query), 1e-6);
      assertEquals(0, predicted(new GradientDescentLearner(0), x, y, query));
    }
  }

  /** Of one input everything is a geometric series. */
  @Test
  void oneInputIsASeries() {
    double[][] x = {{1}, {2}};
    double[] y = {3, 1};
    double best = (3 + 2) / 5.0;
    assertEquals(best, predicted(new GradientDescentLearner(1), x, y, new double[] {1}), 1e-12);
    // S / S² = 1 / S from the beginning.
    assertEquals(best, predicted(new NewtonLearner(0), x, y, new double[] {1}), 1e-12);
  }

  /** Gradient descent, step by step on the examples themselves. */
  @Test
  void stepsFollowTheGradient() {
    SplittableRandom random = new SplittableRandom(2);
    int n = 3;
    double[][] x = inputs(7, n, random);
    double[] y = Draws.normal(7, random);
    double[][] square = new double[n][n];
    for (double[] row : x) {
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          square[i][j] += row[i] * row[j] / x.length;
        }
      }
    }
    double rate = 1 / GradientDescentLearner.largestEigenvalue(square);
    double[] w = new double[n];
    double[] query = Draws.normal(n, random);
    for (int steps = 0; steps < 6; steps++) {
      assertEquals(
          Draws.dot(w, query),
          predicted(new GradientDescentLearner(steps), x, y, query),
          1e-9,
          steps + " steps");
      double[] gradient = new double[n];
      for (int k = 0; k < x.length; k++) {
        double error = Draws.dot(w, x[k]) - y[k];
        for (int i = 0; i < n; i++) {
          gradient[i] += error * x[k][i] / x.length;
        }
      }
      for (int i = 0; i < n; i++) {
        w[i] -= rate * gradient[i];
      }
    }
  }

  /** Who knows the representation is exact after as many examples as it has numbers. */
  @Test
  void representationsAreShared() {
    RepresentedFunctions functions = new RepresentedFunctions(4, 6, 0, 1);
    Prompts prompts = new PromptSource(functions, 12, 5, 3).training(0);
    for (int row = 0; row < 5; row++) {
      Learner.Run knows = functions.represented(new LeastSquaresLearner()).start(4);
      Learner.Run plain = new LeastSquaresLearner().start(4);
      double known = 0;
      double unknown = 0;
      for (int t = 0; t < 12; t++) {
        double[] x = prompts.input(row, t);
        double y = prompts.output(row, t);
        if (t >= 10) {
          known += Math.abs(knows.predict(x) - y);
          unknown += Math.abs(plain.predict(x) - y);
        }
        knows.observe(x, y);
        plain.observe(x, y);
      }
      assertTrue(known < 1e-3 && unknown > 10 * known, known + " " + unknown);
    }
    assertEquals(6, functions.weights().length);
  }
}
