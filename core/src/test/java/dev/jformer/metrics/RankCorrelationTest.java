package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class RankCorrelationTest {
  /** Values of kendalltau of SciPy 1.17.1 (tau-b). */
  @Test
  void kendallsTauEqualsScipys() {
    double[] a = {1, 2, 3, 4, 5, 6, 7, 8};
    double[] b = {2, 1, 4, 3, 7, 8, 5, 6};
    assertEquals(0.5714285714285714, RankCorrelation.kendall(a, b), 1e-12);
    double[] tied = {1, 1, 2, 2, 3, 3, 1, 5};
    assertEquals(0.5910828046793255, RankCorrelation.kendall(a, tied), 1e-12);
    assertEquals(1, RankCorrelation.kendall(a, a), 1e-12);
    assertEquals(-1, RankCorrelation.kendall(a, new double[] {8, 7, 6, 5, 4, 3, 2, 1}), 1e-12);
    assertTrue(Double.isNaN(RankCorrelation.kendall(a, new double[8])));
    assertTrue(
        Double.isNaN(RankCorrelation.kendall(new double[] {1, Double.NaN}, new double[] {1, 2})));
    assertThrows(
        IllegalArgumentException.class, () -> RankCorrelation.kendall(a, new double[] {1}));
  }

  /** Two lists that follow a third, and otherwise nothing, have no partial correlation. */
  @Test
  void aPartialCorrelationHoldsTheThirdListFixed() {
    double[] a = {1, 2, 3, 4, 5, 6, 7, 8};
    double[] b = {2, 1, 4, 3, 7, 8, 5, 6};
    double[] c = {1, 3, 2, 4, 6, 5, 8, 7};
    double ab = RankCorrelation.kendall(a, b);
    double ac = RankCorrelation.kendall(a, c);
    double bc = RankCorrelation.kendall(b, c);
    double expected = (ab - ac * bc) / Math.sqrt((1 - ac * ac) * (1 - bc * bc));
    assertEquals(expected, RankCorrelation.partial(a, b, c), 1e-12);
    assertTrue(Double.isNaN(RankCorrelation.partial(a, b, a)));
  }

  @Test
  void isWhatTextbooksSay() {
    double[] iq = {106, 100, 86, 101, 99, 103, 97, 113, 112, 110};
    double[] hours = {7, 27, 2, 50, 28, 29, 20, 12, 6, 17};
    // No ties: 1 - 6 Σd² / (n (n² - 1)), with Σd² = 194.
    assertEquals(1 - 6 * 194.0 / (10 * 99), RankCorrelation.spearman(iq, hours), 1e-12);
    double[] cubes = Arrays.stream(iq).map(x -> x * x * x).toArray();
    assertEquals(1, RankCorrelation.spearman(iq, cubes), 1e-12);
    assertEquals(-1, RankCorrelation.spearman(iq, Arrays.stream(iq).map(x -> -x).toArray()), 1e-12);
  }

  /** Ranks found by counting, and Pearson's correlation of them. */
  @Test
  void tiesShareTheirMeanRank() {
    SplittableRandom random = new SplittableRandom(3);
    for (int round = 0; round < 20; round++) {
      double[] a = random.ints(30, 0, 6).asDoubleStream().toArray();
      double[] b = random.ints(30, 0, 9).asDoubleStream().toArray();
      assertEquals(pearson(counted(a), counted(b)), RankCorrelation.spearman(a, b), 1e-12);
    }
    assertTrue(Double.isNaN(RankCorrelation.spearman(new double[] {1, 1}, new double[] {1, 2})));
    assertThrows(
        IllegalArgumentException.class,
        () -> RankCorrelation.spearman(new double[] {1, 2}, new double[] {1}));
  }

  /** The share of pairs, counted one by one. */
  @Test
  void aurocIsTheShareOfPairs() {
    SplittableRandom random = new SplittableRandom(4);
    double[] positive = random.ints(20, 2, 9).asDoubleStream().toArray();
    double[] negative = random.ints(30, 0, 7).asDoubleStream().toArray();
    double sum = 0;
    for (double a : positive) {
      for (double b : negative) {
        sum += a > b ? 1 : a == b ? 0.5 : 0;
      }
    }
    assertEquals(sum / 600, RankCorrelation.auroc(positive, negative), 1e-12);
    assertEquals(1, RankCorrelation.auroc(new double[] {3, 4}, new double[] {1, 2}), 0);
    assertTrue(Double.isNaN(RankCorrelation.auroc(new double[0], negative)));
  }

  private static double[] counted(double[] x) {
    return Arrays.stream(x)
        .map(
            v ->
                Arrays.stream(x).filter(w -> w < v).count()
                    + (Arrays.stream(x).filter(w -> w == v).count() + 1) / 2.0)
        .toArray();
  }

  private static double pearson(double[] a, double[] b) {
    double meanA = Arrays.stream(a).average().orElseThrow();
    double meanB = Arrays.stream(b).average().orElseThrow();
    double both = 0;
    double squareA = 0;
    double squareB = 0;
    for (int i = 0; i < a.length; i++) {
      both += (a[i] - meanA) * (b[i] - meanB);
      squareA += Math.pow(a[i] - meanA, 2);
      squareB += Math.pow(b[i] - meanB, 2);
    }
    return both / Math.sqrt(squareA * squareB);
  }
}
