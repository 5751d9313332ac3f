package dev.jformer.data.decision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.incontext.GaussianPosterior;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Policies for linear bandits beside matrices that are inverted anew at each step. */
class LinearPoliciesTest {
  private static final int STEPS = 200;

  /** The inverse by Gauss-Jordan elimination with pivots. */
  static double[][] inverse(double[][] matrix) {
    int n = matrix.length;
    double[][] work = new double[n][2 * n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(matrix[i], 0, work[i], 0, n);
      work[i][n + i] = 1;
    }
    for (int c = 0; c < n; c++) {
      int pivot = c;
      for (int r = c; r < n; r++) {
        pivot = Math.abs(work[r][c]) > Math.abs(work[pivot][c]) ? r : pivot;
      }
      double[] swap = work[c];
      work[c] = work[pivot];
      work[pivot] = swap;
      double by = work[c][c];
      for (int k = 0; k < 2 * n; k++) {
        work[c][k] /= by;
      }
      for (int r = 0; r < n; r++) {
        double times = work[r][c];
        for (int k = 0; k < 2 * n && r != c; k++) {
          work[r][k] -= times * work[c][k];
        }
      }
    }
    double[][] result = new double[n][n];
    for (int i = 0; i < n; i++) {
      System.arraycopy(work[i], n, result[i], 0, n);
    }
    return result;
  }

  private static double form(double[] a, double[][] matrix, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < b.length; j++) {
        sum += a[i] * matrix[i][j] * b[j];
      }
    }
    return sum;
  }

  /** A = λI + Σ x xᵀ and Σ r x. */
  private static final class Sums {
    final double[][] matrix;
    final double[] vector;

    Sums(int d, double lambda) {
      matrix = new double[d][d];
      vector = new double[d];
      for (int i = 0; i < d; i++) {
        matrix[i][i] = lambda;
      }
    }

    void add(double[] x, double reward) {
      for (int i = 0; i < x.length; i++) {
        vector[i] += reward * x[i];
        for (int j = 0; j < x.length; j++) {
          matrix[i][j] += x[i] * x[j];
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void linUcbIsThatOfTheDefinition(int d) {
    double lambda = 0.7;
    double alpha = 1.3;
    SplittableRandom random = new SplittableRandom(d);
    LinearBandits problem = new LinearBandits(d, 6, STEPS, 0.4, LinearBandits.Weights.NORMAL);
    int explored = 0;
    for (int trial = 0; trial < 5; trial++) {
      LinearBandit bandit = problem.draw(random);
      Policy.Run run = new LinUcb(lambda, alpha).start(bandit);
      Sums sums = new Sums(d, lambda);
      for (int t = 0; t < STEPS; t++) {
        double[][] inverse = inverse(sums.matrix);
        int best = 0;
        int greedy = 0;
        double[] bounds = new double[6];
        double[] means = new double[6];
        for (int arm = 0; arm < 6; arm++) {
          double[] x = bandit.features()[arm];
          means[arm] = form(x, inverse, sums.vector);
          bounds[arm] = means[arm] + alpha * Math.sqrt(form(x, inverse, x));
          best = bounds[arm] > bounds[best] ? arm : best;
          greedy = means[arm] > means[greedy] ? arm : greedy;
        }
        int chosen = run.choose(random);
        assertEquals(bounds[best], bounds[chosen], 1e-9, "step " + t);
        explored += means[chosen] < means[greedy] ? 1 : 0;
        // Others act too, as in interactions that are not this policy's own.
        int action = t % 3 == 0 ? random.nextInt(6) : chosen;
        double reward = bandit.act(action, random);
        run.learn(action, reward);
        sums.add(bandit.features()[action], reward);
      }
    }
    assertTrue(d == 1 || explored > 0, "the bonus matters");
  }

  /** The mean and the covariance of what is drawn are those of the closed form. */
  @Test
  void thompsonDrawsFromThePosterior() {
    int d = 3;
    double variance = 0.3;
    SplittableRandom random = new SplittableRandom(4);
    GaussianPosterior posterior = new GaussianPosterior(d, variance);
    double[][] precision = new double[d][d];
    double[] sum = new double[d];
    for (int i = 0; i < d; i++) {
      precision[i][i] = 1;
    }
    for (int t = 0; t < 4; t++) {
      double[] x = {random.nextGaussian(), random.nextGaussian(), random.nextGaussian()};
      double y = random.nextGaussian();
      posterior.observe(x, y);
      for (int i = 0; i < d; i++) {
        sum[i] += x[i] * y / variance;
        for (int j = 0; j < d; j++) {
          precision[i][j] += x[i] * x[j] / variance;
        }
      }
    }
    double[][] covariance = inverse(precision);
    int count = 100_000;
    double[] mean = new double[d];
    double[][] second = new double[d][d];
    for (int n = 0; n < count; n++) {
      double[] drawn = posterior.draw(random);
      for (int i = 0; i < d; i++) {
        mean[i] += drawn[i] / count;
        for (int j = 0; j < d; j++) {
          second[i][j] += drawn[i] * drawn[j] / count;
        }
      }
    }
    for (int i = 0; i < d; i++) {
      double expected = 0;
      for (int j = 0; j < d; j++) {
        expected += covariance[i][j] * sum[j];
      }
      double error = Math.sqrt(covariance[i][i] / count);
      assertEquals(expected, mean[i], 5 * error);
      for (int j = 0; j < d; j++) {
        double size = Math.sqrt(covariance[i][i] * covariance[j][j]);
        assertEquals(covariance[i][j], second[i][j] - mean[i] * mean[j], 0.03 * size);
      }
    }
  }

  /** How often Thompson sampling takes an arm is the posterior's probability that it is best. */
  @Test
  void thompsonTakesArmsByTheirProbabilityToBeBest() {
    double noise = 0.8;
    LinearBandit bandit = new LinearBandit(new double[][] {{1}, {-1}}, new double[] {0.2}, noise);
    Policy.Run run = new GaussianThompson(noise).start(bandit);
    double precision = 1;
    double sum = 0;
    for (double reward : new double[] {0.5, -0.1, 0.4}) {
      run.learn(0, reward);
      precision += 1 / (noise * noise);
      sum += reward / (noise * noise);
    }
    // P(w > 0) for w from N(sum/precision, 1/precision), by Simpson's rule.
    double z = sum / precision * Math.sqrt(precision);
    double probability = 0.5 + simpson(z);
    SplittableRandom random = new SplittableRandom(5);
    int first = 0;
    int count = 40_000;
    for (int i = 0; i < count; i++) {
      first += run.choose(random) == 0 ? 1 : 0;
    }
    double spread = Math.sqrt(probability * (1 - probability) / count);
    assertEquals(probability, (double) first / count, 5 * spread);
  }

  private static double simpson(double to) {
    int parts = 1000;
    double sum = 0;
    for (int i = 0; i <= parts; i++) {
      double x = to * i / parts;
      int weight = i == 0 || i == parts ? 1 : i % 2 == 1 ? 4 : 2;
      sum += weight * Math.exp(-x * x / 2);
    }
    return sum * to / parts / 3 / Math.sqrt(2 * Math.PI);
  }

  @Test
  void empiricalMeansTryEachArmOnce() {
    LinearBandit bandit = new LinearBandit(new double[][] {{1}, {2}, {3}}, new double[] {1}, 0);
    SplittableRandom random = new SplittableRandom(6);
    Policy.Run run = new EmpiricalMeans().start(bandit);
    StringBuilder chosen = new StringBuilder();
    for (double reward : new double[] {0.5, 2, 1, 0.2, 0.1, 0.3}) {
      int arm = run.choose(random);
      chosen.append(arm);
      run.learn(arm, reward);
    }
    // Arm 1 falls to 1.1 by its second reward, to 0.77 by its third: then arm 2 has more.
    assertEquals("012112", chosen.toString());
  }

  @Test
  void mixedPoliciesFollowOneInAWholeInteraction() {
    LinearBandit bandit = new LinearBandit(new double[][] {{1}, {2}, {3}}, new double[] {1}, 0);
    SplittableRandom random = new SplittableRandom(7);
    Policy<LinearBandit> mixed =
        new MixedPolicy<>(new BestPolicy<>(), new UniformPolicy<>(3), 0.25);
    int constant = 0;
    for (int trial = 0; trial < 2000; trial++) {
      Policy.Run run = mixed.start(bandit);
      boolean always = true;
      for (int t = 0; t < 20; t++) {
        int action = run.choose(random);
        always &= action == 2;
        run.learn(action, 1);
      }
      constant += always ? 1 : 0;
    }
    assertEquals(500, constant, 100);
  }

  @Test
  void refusesWhatCannotBe() {
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> new LinUcb(0, 1))
            .getMessage()
            .contains("lambda"));
    assertThrows(IllegalArgumentException.class, () -> new LinUcb(1, -1));
    assertThrows(IllegalArgumentException.class, () -> new GaussianThompson(0));
    assertThrows(
        IllegalArgumentException.class,
        () -> new LinearBandits(2, 1, 10, 0.5, LinearBandits.Weights.UNIFORM));
    assertThrows(
        IllegalArgumentException.class,
        () -> new MixedPolicy<>(new BestPolicy<>(), new UniformPolicy<>(3), 1.5));
  }
}
