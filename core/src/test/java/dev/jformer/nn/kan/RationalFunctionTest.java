package dev.jformer.nn.kan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.testing.Loops;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class RationalFunctionTest {
  /** What the authors' code starts with for SiLU. */
  private static final RationalFunction THEIR_SILU =
      new RationalFunction(
          new double[] {
            3.054879741161051e-07,
            0.5000007853744493,
            0.24999783422824703,
            0.05326628273219478,
            0.005803034571292244,
            0.0002751961022402342
          },
          new double[] {
            -4.111554955950634e-06,
            0.10652899335007572,
            -1.2690007399796238e-06,
            0.0005502331264140556
          });

  private static double squaredError(RationalFunction rational, DoubleUnaryOperator function) {
    double sum = 0;
    for (int i = 0; i <= 1000; i++) {
      double x = 6.0 * i / 1000 - 3;
      double off = rational.at(x) - function.applyAsDouble(x);
      sum += off * off;
    }
    return sum;
  }

  @Test
  void fitsSiluAtLeastAsWellAsTheAuthorsDo() {
    RationalFunction ours = RationalFunction.fit(Loops::silu);
    double error = squaredError(ours, Loops::silu);
    assertTrue(error <= 1.05 * squaredError(THEIR_SILU, Loops::silu) + 1e-9, "" + error);
    for (int k = 0; k < RationalFunction.NUMERATOR; k++) {
      assertEquals(THEIR_SILU.numerator()[k], ours.numerator()[k], 1e-3);
    }
  }

  @Test
  void fitsOtherActivations() {
    assertTrue(squaredError(RationalFunction.fit(Loops::gelu), Loops::gelu) < 1e-2);
    assertTrue(squaredError(RationalFunction.fit(Math::tanh), Math::tanh) < 1e-6);
    RationalFunction known =
        new RationalFunction(
            new double[] {0.2, -1, 0.3, 0.1, 0.02, -0.01}, new double[] {0.1, 0.4, -0.05, 0.03});
    assertTrue(squaredError(RationalFunction.fit(known::at), known::at) < 1e-5);
  }

  /** The authors give 1 / E[F(x)²] of their fits, from a million draws. */
  @Test
  void secondMomentsAreThoseOfTheAuthors() {
    assertEquals(1, RationalFunction.identity().secondMoment(), 1e-9);
    assertEquals(2.8178205270359653, 1 / THEIR_SILU.secondMoment(), 2e-2);
    assertEquals(2.3567850379928976, 1 / RationalFunction.fit(Loops::gelu).secondMoment(), 2e-2);
  }
}
