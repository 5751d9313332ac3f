package dev.jformer.nn.kan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.nn.Initializer;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class SplineLayerTest {
  /** B-spline m of degree k on knots. */
  private static double spline(int m, int k, double[] knots, double x) {
    if (k == 0) {
      return x >= knots[m] && x < knots[m + 1] ? 1 : 0;
    }
    double left = (x - knots[m]) / (knots[m + k] - knots[m]) * spline(m, k - 1, knots, x);
    double right =
        (knots[m + k + 1] - x) / (knots[m + k + 1] - knots[m + 1]) * spline(m + 1, k - 1, knots, x);
    return left + right;
  }

  private static double[] knots(int intervals, int degree, double range) {
    double[] knots = new double[intervals + 2 * degree + 1];
    for (int i = 0; i < knots.length; i++) {
      knots[i] = -range + 2 * range * (i - degree) / intervals;
    }
    return knots;
  }

  @ParameterizedTest
  @CsvSource({"5,3,2", "4,1,1", "3,2,3"})
  void matchesItsDefinition(int intervals, int degree, double range) {
    double[] knots = knots(intervals, degree, range);
    int splines = intervals + degree;
    Naive naive =
        (x, w) -> {
          double[][] base = w.matrix("base");
          double[][] c = w.matrix("coefficients");
          double[][] y = new double[x.length][base.length];
          for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < base.length; o++) {
              for (int i = 0; i < x[t].length; i++) {
                y[t][o] += base[o][i] * Loops.silu(x[t][i]);
                for (int m = 0; m < splines; m++) {
                  y[t][o] += c[o][i * splines + m] * spline(m, degree, knots, x[t][i]);
                }
              }
            }
          }
          return y;
        };
    ModuleChecks.matches(
        new SplineLayer(3, 2, intervals, degree, range, Initializer.normal(1)), naive, 4, 3);
  }

  @Test
  void splinesAddUpToOneBetweenTheEnds() {
    SplineLayer layer = new SplineLayer(2, 2, 5, 3, 2, Initializer.normal(1));
    Tensor x = Tensor.of(new double[] {-1.99, -0.3, 0, 1.7}, 2, 2);
    for (double sum : layer.basis(x).sum(-1, false).toDoubles()) {
      assertEquals(1, sum, 1e-12);
    }
    Tensor far = Tensor.full(9, DType.FLOAT64, 1, 2);
    assertEquals(0, layer.basis(far).abs().sum().item());
  }

  @Test
  void refusesImpossibleGrids() {
    assertThrows(IllegalArgumentException.class, () -> SplineLayer.check(0, 3, 1));
    assertThrows(IllegalArgumentException.class, () -> SplineLayer.check(5, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> SplineLayer.check(5, 3, 0));
  }
}
