package dev.jformer.nn.quantized;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class RangeRuleTest {
  private static final int IN = 6;
  private static final int OUT = 4;

  /** Heavy tails to one side, as after GELU. */
  private static Tensor heavy() {
    Tensor x = Tensor.randn(200, IN);
    return x.add(x.pow(3).mul(0.3)).maximum(Tensor.scalar(-0.2));
  }

  private static CalibratedLayer seen(Tensor x, Tensor weight) {
    Tensor rounded = weight.mul(8).round().div(8);
    return new CalibratedLayer(x, x.min().item(), x.max().item(), x.matmul(weight.t()), rounded);
  }

  private static CalibratedLayer seen() {
    return seen(heavy(), Tensor.randn(OUT, IN));
  }

  @Test
  void areFoundByName() {
    assertEquals(
        Set.of("min-max", "percentile", "search"), Configs.parts(RangeRule.class).keySet());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void minMaxReachesToTheEnds(boolean symmetric) {
    CalibratedLayer seen = seen();
    UniformGrid grid = new RangeRule.MinMax().choose(seen, 6, symmetric);
    double worst = grid.rounded(seen.rows()).sub(seen.rows()).abs().max().item();
    assertTrue(worst <= 0.5001 * grid.scale(), "nothing is clipped: " + worst);
    double span = symmetric ? seen.high() / 31 : (seen.high() - seen.low()) / 63;
    assertEquals(span, grid.scale(), 1e-6);
  }

  /** With zero clipped in, ranges of one sign reach to zero; a range of zeros is one too. */
  @Test
  void zeroIsOnEveryGrid() {
    for (double[] range : new double[][] {{0.5, 2}, {-3, -1}, {0, 0}, {-0.17, 4}}) {
      for (boolean symmetric : new boolean[] {true, false}) {
        UniformGrid grid = UniformGrid.of(range[0], range[1], 5, symmetric);
        assertEquals(0, grid.rounded(Tensor.zeros(1)).item());
        assertTrue(grid.zero() >= grid.least() && grid.zero() <= grid.most(), "" + grid);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.9, 0.99, 0.999, 1})
  void percentilesLeaveTheOutermostOut(double share) {
    CalibratedLayer seen = seen();
    double[] sorted = Arrays.stream(seen.rows().toDoubles()).sorted().toArray();
    int out = (int) Math.floor((1 - share) * sorted.length + 1e-9);
    double high = sorted[sorted.length - 1 - out];
    double low = sorted[out];
    assertEquals(
        UniformGrid.of(low, high, 6, false),
        new RangeRule.Percentile(share).choose(seen, 6, false));
    double[] sizes = Arrays.stream(sorted).map(Math::abs).sorted().toArray();
    double limit = sizes[sizes.length - 1 - out];
    assertEquals(
        UniformGrid.of(-limit, limit, 6, true),
        new RangeRule.Percentile(share).choose(seen, 6, true));
  }

  /** Every candidate is tried again in plain loops. */
  @ParameterizedTest
  @ValueSource(strings = {"MSE", "OUTPUT"})
  void searchFindsTheSmallestError(String name) {
    RangeRule.Target target = RangeRule.Target.valueOf(name);
    for (boolean symmetric : new boolean[] {true, false}) {
      CalibratedLayer seen = seen();
      UniformGrid found = new RangeRule.Search(target, 20).choose(seen, 4, symmetric);
      double least = Double.POSITIVE_INFINITY;
      double ofFound = Double.NaN;
      for (int i = 1; i <= 20; i++) {
        double fraction = i / 20.0;
        UniformGrid grid =
            UniformGrid.of(fraction * seen.low(), fraction * seen.high(), 4, symmetric);
        double error = error(seen, grid, target);
        least = Math.min(least, error);
        if (grid.equals(found)) {
          ofFound = error;
        }
      }
      assertEquals(least, ofFound, 1e-4 * least, "error of what was found");
      UniformGrid widest = UniformGrid.of(seen.low(), seen.high(), 4, symmetric);
      assertTrue(least < error(seen, widest, target), "clipping pays off for heavy tails");
    }
  }

  private static double error(CalibratedLayer seen, UniformGrid grid, RangeRule.Target target) {
    DoubleUnaryOperator round =
        x -> {
          double q = Math.rint((float) x / (float) grid.scale()) + grid.zero();
          return (Math.max((double) grid.least(), Math.min((double) grid.most(), q)) - grid.zero())
              * grid.scale();
        };
    double[] x = seen.rows().toDoubles();
    double[] rounded = Arrays.stream(x).map(round).toArray();
    if (target == RangeRule.Target.MSE) {
      double sum = 0;
      for (int i = 0; i < x.length; i++) {
        sum += (rounded[i] - x[i]) * (rounded[i] - x[i]);
      }
      return sum / x.length;
    }
    double[] weight = seen.weight().toDoubles();
    double[] exact = seen.exact().toDoubles();
    double sum = 0;
    for (int n = 0; n < x.length / IN; n++) {
      for (int o = 0; o < OUT; o++) {
        double y = 0;
        for (int i = 0; i < IN; i++) {
          y += rounded[n * IN + i] * weight[o * IN + i];
        }
        sum += (y - exact[n * OUT + o]) * (y - exact[n * OUT + o]);
      }
    }
    return sum / exact.length;
  }

  @Test
  void refusesWhatIsNoRule() {
    assertThrows(IllegalArgumentException.class, () -> new RangeRule.Percentile(0.5));
    assertThrows(IllegalArgumentException.class, () -> new RangeRule.Percentile(1.1));
    assertThrows(
        IllegalArgumentException.class, () -> new RangeRule.Search(RangeRule.Target.MSE, 0));
    assertThrows(IllegalArgumentException.class, () -> new RangeRule.Search(null, 5));
  }
}
