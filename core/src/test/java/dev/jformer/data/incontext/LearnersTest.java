package dev.jformer.data.incontext;

import static dev.jformer.data.incontext.Equations.array;
import static dev.jformer.data.incontext.Equations.dot;
import static dev.jformer.data.incontext.Equations.gaussian;
import static dev.jformer.data.incontext.Equations.gram;
import static dev.jformer.data.incontext.Equations.products;
import static dev.jformer.data.incontext.Equations.solve;
import static dev.jformer.data.incontext.Equations.squares;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Classical solvers against systems of equations that are solved anew, and enumerations. */
class LearnersTest {
  private static final SplittableRandom RANDOM = new SplittableRandom(11);

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 7})
  void leastSquaresSolvesTheEquations(int n) {
    Learner.Run run = new LeastSquaresLearner().start(n);
    List<double[]> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    assertEquals(0, run.predict(gaussian(n, RANDOM)));
    for (int t = 1; t <= 3 * n; t++) {
      double[] x = gaussian(n, RANDOM);
      if (t == 2 && n > 1) {
        x = new double[n];
        for (int i = 0; i < n; i++) {
          x[i] = 2 * xs.get(0)[i]; // says nothing new
        }
      }
      double y = t == 2 && n > 1 ? 2 * ys.get(0) : RANDOM.nextGaussian();
      run.observe(x, y);
      xs.add(x);
      ys.add(y);
      double[] query = gaussian(n, RANDOM);
      int different = n > 1 && t > 1 ? t - 1 : t;
      double expected;
      if (different >= n) {
        expected = dot(solve(squares(xs, n, 0), products(xs, ys, n)), query);
      } else {
        List<double[]> fewer = new ArrayList<>(xs);
        List<Double> outputs = new ArrayList<>(ys);
        if (n > 1 && t > 1) {
          fewer.remove(1);
          outputs.remove(1);
        }
        double[] dual = solve(gram(fewer, 0), array(outputs));
        expected = 0;
        for (int i = 0; i < dual.length; i++) {
          expected += dual[i] * dot(fewer.get(i), query);
        }
      }
      assertEquals(expected, run.predict(query), 1e-7, t + " examples of " + n);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 6})
  void ridgeSolvesTheRegularisedEquations(int n) {
    Learner.Run run = new RidgeLearner(0.7).start(n);
    List<double[]> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    for (int t = 1; t <= 3 * n; t++) {
      xs.add(gaussian(n, RANDOM));
      ys.add(RANDOM.nextGaussian());
      run.observe(xs.get(t - 1), ys.get(t - 1));
      double[] query = gaussian(n, RANDOM);
      double[][] matrix = squares(xs, n, 0.7);
      assertEquals(dot(solve(matrix, products(xs, ys, n)), query), run.predict(query), 1e-9);
      double variance = 0.7 * (1 + dot(query, solve(matrix, query)));
      assertEquals(variance, run.variance(query), 1e-9);
    }
  }

  /** The conditions that hold at the minimum only. */
  @Test
  void lassoIsAtItsMinimum() {
    int n = 5;
    double penalty = 0.3;
    Learner.Run run = new LassoLearner(penalty).start(n);
    List<double[]> xs = new ArrayList<>();
    List<Double> ys = new ArrayList<>();
    int zeros = 0;
    for (int t = 1; t <= 20; t++) {
      xs.add(gaussian(n, RANDOM));
      ys.add(xs.get(t - 1)[0] - 0.5 * xs.get(t - 1)[3] + 0.1 * RANDOM.nextGaussian());
      run.observe(xs.get(t - 1), ys.get(t - 1));
      double[] w = new double[n];
      for (int i = 0; i < n; i++) {
        double[] unit = new double[n];
        unit[i] = 1;
        w[i] = run.predict(unit);
      }
      for (int i = 0; i < n; i++) {
        double slope = 0;
        for (int s = 0; s < t; s++) {
          slope += xs.get(s)[i] * (ys.get(s) - dot(w, xs.get(s))) / t;
        }
        if (w[i] == 0) {
          zeros++;
          assertTrue(Math.abs(slope) <= penalty + 1e-6, "slope at zero " + slope);
        } else {
          assertEquals(penalty * Math.signum(w[i]), slope, 1e-6);
        }
      }
    }
    assertTrue(zeros > 40, "weights at zero: " + zeros);
  }

  private static double[] signs(int bits, int n) {
    double[] x = new double[n];
    for (int i = 0; i < n; i++) {
      x[i] = (bits >> i & 1) == 1 ? 1 : -1;
    }
    return x;
  }

  /** It says 1 exactly where all conjunctions that fit say so, the impossible one among them. */
  @Test
  void eliminationAgreesWithAllConjunctionsThatFit() {
    int n = 4;
    for (int trial = 0; trial < 20; trial++) {
      int[] target = ternary(RANDOM.nextInt(81), n);
      Learner.Run run = new EliminationLearner().start(n);
      List<int[]> fitting = new ArrayList<>();
      for (int i = 0; i < 81; i++) {
        fitting.add(ternary(i, n));
      }
      boolean impossible = true;
      for (int t = 0; t < 12; t++) {
        for (int bits = 0; bits < 16; bits++) {
          double[] x = signs(bits, n);
          boolean all = !impossible && fitting.stream().allMatch(each -> holds(each, x));
          assertEquals(all ? 1 : -1, run.predict(x));
        }
        double[] x = signs(RANDOM.nextInt(16), n);
        boolean positive = holds(target, x);
        run.observe(x, positive ? 1 : -1);
        fitting.removeIf(each -> holds(each, x) != positive);
        impossible &= !positive;
      }
    }
  }

  private static int[] ternary(int number, int n) {
    int[] digits = new int[n];
    for (int i = 0; i < n; i++) {
      digits[i] = number % 3 - 1;
      number /= 3;
    }
    return digits;
  }

  private static boolean holds(int[] wanted, double[] x) {
    for (int i = 0; i < x.length; i++) {
      if (wanted[i] != 0 && wanted[i] != x[i]) {
        return false;
      }
    }
    return true;
  }

  private static double product(int subset, double[] x) {
    double product = 1;
    for (int i = 0; i < x.length; i++) {
      product *= (subset >> i & 1) == 1 ? x[i] : 1;
    }
    return product;
  }

  /** Where all parities that fit agree, elimination says what they say. */
  @Test
  void eliminationModTwoFindsParities() {
    int n = 6;
    for (int trial = 0; trial < 30; trial++) {
      int target = RANDOM.nextInt(64);
      Learner.Run run = new ParityEliminationLearner().start(n);
      List<Integer> fitting = new ArrayList<>();
      for (int i = 0; i < 64; i++) {
        fitting.add(i);
      }
      for (int t = 0; t < 20; t++) {
        List<Double> said = new ArrayList<>();
        for (int bits = 0; bits < 64; bits++) {
          double[] x = signs(bits, n);
          said.add(run.predict(x));
          long ones = fitting.stream().filter(subset -> product(subset, x) == 1).count();
          if (ones == 0 || ones == fitting.size()) {
            assertEquals(ones == 0 ? -1 : 1, run.predict(x));
          }
        }
        // What it says is one of the parities that fit.
        assertTrue(
            fitting.stream()
                .anyMatch(
                    subset -> {
                      for (int bits = 0; bits < 64; bits++) {
                        if (product(subset, signs(bits, n)) != said.get(bits)) {
                          return false;
                        }
                      }
                      return true;
                    }));
        double[] x = signs(RANDOM.nextInt(64), n);
        run.observe(x, product(target, x));
        fitting.removeIf(subset -> product(subset, x) != product(target, x));
      }
    }
  }

  @Test
  void allSubsetsVote() {
    int n = 6;
    Learner.Run run = new SubsetParityLearner(2).start(n);
    List<Integer> fitting = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      if (Integer.bitCount(i) == 2) {
        fitting.add(i);
      }
    }
    int target = 0b100010;
    for (int t = 0; t < 12; t++) {
      for (int bits = 0; bits < 64; bits++) {
        double[] x = signs(bits, n);
        double votes = fitting.stream().mapToDouble(subset -> product(subset, x)).sum();
        assertEquals(votes < 0 ? -1 : 1, run.predict(x));
      }
      double[] x = signs(RANDOM.nextInt(64), n);
      run.observe(x, product(target, x));
      fitting.removeIf(subset -> product(subset, x) != product(target, x));
    }
    assertEquals(List.of(target), fitting);
  }

  @Test
  void solversRefuseWhatIsBeyondTheirReach() {
    var many =
        assertThrows(IllegalArgumentException.class, () -> new SubsetParityLearner(10).start(40));
    assertTrue(many.getMessage().contains("subsets of 10 of 40"), many.getMessage());
    var wide =
        assertThrows(
            IllegalArgumentException.class, () -> new ParityEliminationLearner().start(64));
    assertTrue(wide.getMessage().contains("inputs is 64"), wide.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new SubsetParityLearner(5).start(4));
    assertThrows(IllegalArgumentException.class, () -> new RidgeLearner(0));
    assertThrows(IllegalArgumentException.class, () -> new NeighboursLearner(0));
  }

  @Test
  void controlsAndNeighboursDoAsTheySay() {
    Learner.Run mean = new ConstantLearner().start(1);
    Learner.Run last = new LastOutputLearner().start(1);
    Learner.Run frequent = new FrequentLabelLearner().start(1);
    Learner.Run nearest = new NeighboursLearner(2).start(1);
    Learner.Run averaging = new AveragingLearner().start(1);
    double[] xs = {0, 3, 1};
    double[] ys = {-1, -3, 7};
    for (Learner.Run run : List.of(mean, last, nearest, averaging)) {
      assertEquals(0, run.predict(new double[] {2}));
    }
    assertEquals(1, frequent.predict(new double[] {2}));
    for (int t = 0; t < xs.length; t++) {
      for (Learner.Run run : List.of(mean, last, nearest, averaging)) {
        run.observe(new double[] {xs[t]}, ys[t]);
      }
      frequent.observe(new double[] {xs[t]}, Math.signum(ys[t]));
    }
    assertEquals(1, mean.predict(new double[] {2}));
    assertEquals(7, last.predict(new double[] {2}));
    assertEquals(-1, frequent.predict(new double[] {2}));
    assertEquals((-1 + 7) / 2.0, nearest.predict(new double[] {0.4}));
    assertEquals((-9 + 7) / 3.0 * 2, averaging.predict(new double[] {2}), 1e-12);
    assertTrue(Double.isNaN(mean.variance(new double[] {2})));
  }

  @Test
  void windowsHaveTheNewestInputsFirst() {
    List<double[]> seen = new ArrayList<>();
    Learner spy =
        new Learner() {
          @Override
          public String name() {
            return "spy";
          }

          @Override
          public Run start(int inputs) {
            return new RememberingRun() {
              @Override
              public double predict(double[] x) {
                seen.add(x);
                return 0;
              }
            };
          }
        };
    Learner.Run run = new WindowLearner(spy, 3).start(2);
    for (double i = 1; i < 5; i++) {
      run.predict(new double[] {i, -i});
      run.observe(new double[] {i, -i}, 0);
    }
    assertArrayEquals(new double[] {1, -1, 0, 0, 0, 0}, seen.get(0));
    assertArrayEquals(new double[] {2, -2, 1, -1, 0, 0}, seen.get(1));
    assertArrayEquals(new double[] {4, -4, 3, -3, 2, -2}, seen.get(3));
  }

  @Test
  void aPerceptronSeparatesWhatCanBeSeparated() {
    Learner.Run run = new PerceptronLearner().start(3);
    for (int bits = 0; bits < 8; bits++) {
      double[] x = signs(bits, 3);
      run.observe(x, Math.signum(x[0] + x[1] + x[2]));
    }
    for (int bits = 0; bits < 8; bits++) {
      double[] x = signs(bits, 3);
      assertEquals(Math.signum(x[0] + x[1] + x[2]), run.predict(x));
    }
  }
}
