package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Activation;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class FloatMathTest {
  @Test
  void exponentialsAreAsAccurateAsFloats() {
    for (int i = -87_000; i <= 88_000; i++) {
      float x = i / 1000f;
      double exact = Math.exp(x);
      assertEquals(exact, FloatMath.exp(x), 2e-7 * exact, "exp(" + x + ")");
    }
  }

  @Test
  void exponentialsEndWhereFloatsDo() {
    assertEquals(1, FloatMath.exp(0));
    assertEquals(0, FloatMath.exp(-100));
    assertEquals(0, FloatMath.exp(Float.NEGATIVE_INFINITY));
    assertEquals(Float.POSITIVE_INFINITY, FloatMath.exp(89));
    assertEquals(Float.POSITIVE_INFINITY, FloatMath.exp(Float.POSITIVE_INFINITY));
    assertTrue(Float.isNaN(FloatMath.exp(Float.NaN)));
  }

  @ParameterizedTest
  @EnumSource
  void activationsOfArraysAreThoseOfTensors(Activation activation) {
    float[] x = new float[2001];
    for (int i = 0; i < x.length; i++) {
      x[i] = (i - 1000) / 50f;
    }
    double[] exact = activation.apply(Tensor.of(x).to(DType.FLOAT64)).toDoubles();
    activation.apply(x, 0, x.length);
    for (int i = 0; i < x.length; i++) {
      assertEquals(exact[i], x[i], 1e-6 * Math.max(1, Math.abs(exact[i])), "element " + i);
    }
  }

  @Test
  void softmaxOfPartOfAnArray() {
    float[] x = {9, 1, 2, 3, -200, 9};
    FloatMath.softmax(x, 1, 4);
    double sum = Math.exp(-2) + Math.exp(-1) + 1;
    assertEquals(9, x[0]);
    assertEquals(Math.exp(-2) / sum, x[1], 1e-7);
    assertEquals(Math.exp(-1) / sum, x[2], 1e-7);
    assertEquals(1 / sum, x[3], 1e-7);
    assertEquals(0, x[4]);
    assertEquals(9, x[5]);
  }
}
