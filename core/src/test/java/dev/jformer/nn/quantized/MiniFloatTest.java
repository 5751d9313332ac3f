package dev.jformer.nn.quantized;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class MiniFloatTest {
  static Stream<MiniFloat> formats() {
    return IntStream.rangeClosed(2, 8).boxed().flatMap(bits -> MiniFloat.all(bits).stream());
  }

  /** All numbers of a format by the paper's definition, in the order of their codes. */
  private static double[] numbers(int exponent, int mantissa, double bias) {
    List<Double> positive = new ArrayList<>();
    for (int p = 0; p < 1 << exponent; p++) {
      for (int d = 0; d < 1 << mantissa; d++) {
        double fraction = d / Math.pow(2, mantissa);
        positive.add(
            p == 0 ? Math.pow(2, 1 - bias) * fraction : Math.pow(2, p - bias) * (1 + fraction));
      }
    }
    return Stream.concat(positive.stream(), positive.stream().map(v -> -v))
        .mapToDouble(Double::doubleValue)
        .toArray();
  }

  private static double nearest(double x, double[] numbers) {
    double best = Double.POSITIVE_INFINITY;
    for (double number : numbers) {
      best = Math.min(best, Math.abs(x - number));
    }
    return best;
  }

  @ParameterizedTest
  @MethodSource("formats")
  void roundsToTheNearestOfAllNumbers(MiniFloat format) {
    SplittableRandom random = new SplittableRandom(Scoped.seed());
    for (double bias : new double[] {0, 3, -2.37, 11.629}) {
      double[] numbers = numbers(format.exponent(), format.mantissa(), bias);
      double largest = 0;
      for (double number : numbers) {
        largest = Math.max(largest, number);
      }
      float[] x = new float[2000];
      for (int i = 2; i < x.length; i++) {
        double size = i % 2 == 0 ? random.nextDouble(1.2) : Math.pow(2, -random.nextDouble(40));
        x[i] = (float) (size * largest * (random.nextBoolean() ? 1 : -1));
      }
      x[1] = (float) (largest * 1e6);
      float step = (float) Math.pow(2, 1 - format.mantissa() - bias);
      double[] rounded =
          new MiniFloatQuantizer(format, Tensor.of(new float[] {step}, 1))
              .round(Tensor.of(x, x.length))
              .toDoubles();
      for (int i = 0; i < x.length; i++) {
        String where = format + ", bias " + bias + ", " + x[i] + " became " + rounded[i];
        double size = Math.abs(rounded[i]);
        assertTrue(nearest(rounded[i], numbers) <= 1e-6 * size, where + ", which is no number");
        double distance = Math.abs(x[i] - rounded[i]);
        assertTrue(distance <= nearest(x[i], numbers) + 1e-6 * Math.abs(x[i]), where);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("formats")
  void codesAreExponentAndMantissa(MiniFloat format) {
    int mantissa = format.mantissa();
    double[] expected = numbers(format.exponent(), mantissa, 1 - mantissa);
    float[] values = format.values();
    assertEquals(1 << format.bits(), values.length);
    for (int code = 0; code < values.length; code++) {
      assertEquals(expected[code], values[code], format + " " + code);
      assertEquals(code, format.code(values[code]), format + " " + values[code]);
    }
    assertEquals(format.largest(), values[values.length / 2 - 1]);
    float[] rounded = format.round(Tensor.of(values, values.length)).toFloats();
    assertArrayEquals(values, rounded, "numbers stay what they are");
  }

  @Test
  void aFormatOfOneExponentBitIsTheSymmetricIntegers() {
    for (int bits : new int[] {4, 8}) {
      int limit = (1 << (bits - 1)) - 1;
      Tensor x = Tensor.randn(1000);
      double scale = x.abs().max().item() / limit;
      double[] expected = x.toDoubles();
      for (int i = 0; i < expected.length; i++) {
        expected[i] = Math.max(-limit, Math.min(limit, Math.rint(expected[i] / scale))) * scale;
      }
      MiniFloat integers = MiniFloat.integer(bits);
      assertEquals(limit, integers.largest());
      assertEquals(scale, integers.step(x.abs().max().item()));
      Tensor step = Tensor.of(new float[] {(float) scale}, 1);
      dev.jformer.testing.Close.assertClose(
          expected, new MiniFloatQuantizer(integers, step).round(x), 1e-6);
    }
  }

  @Test
  void ofTwoAsNearTheEvenOneIsTaken() {
    float[] x = {0.5f, 1.5f, 2.5f, 3.5f, 5, 7, 10, 11, 13, Float.POSITIVE_INFINITY, -5, 1e-30f};
    float[] even = {0, 2, 2, 4, 4, 8, 8, 12, 12, 12, -4, 0};
    assertArrayEquals(even, new MiniFloat(4, 2).round(Tensor.of(x, x.length)).toFloats());
    Tensor none = new MiniFloat(4, 2).round(Tensor.of(new float[] {Float.NaN}, 1));
    assertTrue(Double.isNaN(none.item()));
  }

  @Test
  void powersOfTwoAreExact() {
    int[] exponents = IntStream.rangeClosed(-126, 127).toArray();
    float[] powers = MiniFloat.powersOfTwo(Tensor.of(exponents, exponents.length)).toFloats();
    for (int i = 0; i < exponents.length; i++) {
      assertEquals(Math.scalb(1f, exponents[i]), powers[i]);
    }
  }

  @Test
  void listsTheFormatsOfAWidth() {
    assertEquals("[E1M2, E2M1, E3M0]", MiniFloat.all(4).toString());
    assertEquals("[E1M6, E2M5, E3M4, E4M3, E5M2]", MiniFloat.all(8).toString());
    assertEquals("E2M1", MiniFloat.usual(4).toString());
    assertEquals("E3M2", MiniFloat.usual(6).toString());
    assertEquals("E4M3", MiniFloat.usual(8).toString());
  }

  @Test
  void refusesWhatIsNoFormat() {
    assertMessage("bits is 9: expected 2 to 8", () -> new MiniFloat(9, 2));
    assertMessage("exponent is 4 of 4 bits: expected 1 to 3", () -> new MiniFloat(4, 4));
    assertMessage("exponent is 0 of 8 bits: expected 1 to 5", () -> new MiniFloat(8, 0));
    assertMessage(
        "5.0 steps are not a number of the format E2M1", () -> new MiniFloat(4, 2).code(5));
    assertMessage("16.0 steps are not", () -> new MiniFloat(4, 2).code(16));
    assertMessage("NaN steps are not", () -> new MiniFloat(4, 2).code(Float.NaN));
  }

  private static void assertMessage(String start, Runnable wrong) {
    var error = assertThrows(IllegalArgumentException.class, wrong::run);
    assertTrue(error.getMessage().startsWith(start), error.getMessage());
  }
}
