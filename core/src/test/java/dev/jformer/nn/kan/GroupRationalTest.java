package dev.jformer.nn.kan;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class GroupRationalTest {
  /** The activation as it is written in the paper. */
  private static double[][] rational(double[][] x, double[] a, double[] b, int groups) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = new double[x[t].length];
      for (int c = 0; c < x[t].length; c++) {
        double p = 0;
        for (int k = 0; k < 6; k++) {
          p += a[k] * Math.pow(x[t][c], k);
        }
        double q = 0;
        for (int k = 1; k <= 4; k++) {
          q += b[c / (x[t].length / groups) * 4 + k - 1] * Math.pow(x[t][c], k);
        }
        y[t][c] = p / (1 + Math.abs(q));
      }
    }
    return y;
  }

  @Test
  void matchesItsDefinition() {
    Naive naive = (x, w) -> rational(x, w.vector("numerator"), w.vector("denominator"), 3);
    ModuleChecks.matches(new GroupRational(6, 3, RationalFunction.identity()), naive, 4, 6);
  }

  @Test
  void startsAsWhatItIsTold() {
    Tensor x = Tensor.randn(5, 8);
    Tensor same = new GroupRational(8, 4, RationalFunction.identity()).forward(x);
    assertClose(x, same.detach(), 0);
    Tensor silu = new GroupRational(8, 2, RationalFunction.fit(Loops::silu)).forward(x);
    assertClose(Functional.silu(x), silu.detach(), 5e-3);
  }

  @Test
  void refusesGroupsThatDoNotDivideTheWidth() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new GroupRational(12, 8, RationalFunction.identity()));
    assertEquals("groups is 8: expected a divisor of the width 12", e.getMessage());
  }
}
