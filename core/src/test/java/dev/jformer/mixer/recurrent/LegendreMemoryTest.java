package dev.jformer.mixer.recurrent;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The Legendre memory beside scipy's discretisation, and what its numbers mean. */
@ExtendWith(Scoped.class)
class LegendreMemoryTest {
  private static JsonNode fixture(String part) throws IOException {
    return new JsonMapper()
        .readTree(LegendreMemoryTest.class.getResourceAsStream("lmu.json"))
        .get(part);
  }

  private static LegendreMemory memory(JsonNode values) {
    return new LegendreMemory(values.get("order").intValue(), values.get("window").doubleValue());
  }

  private static double[] numbers(JsonNode array) {
    double[] numbers = new double[array.size()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = array.get(i).doubleValue();
    }
    return numbers;
  }

  @Test
  void matricesAreThoseOfScipy() throws IOException {
    for (JsonNode values : fixture("small")) {
      LegendreMemory memory = memory(values);
      assertClose(numbers(values.get("input")), memory.input(), 1e-13, "input");
      for (int i = 0; i < memory.order(); i++) {
        assertClose(
            numbers(values.get("transition").get(i)),
            memory.transition().select(0, i),
            1e-13,
            "row " + i);
      }
    }
  }

  @Test
  void responsesOfManyNumbersAreThoseOfScipy() throws IOException {
    for (JsonNode values : fixture("large")) {
      Tensor response = memory(values).response(200);
      for (int i = 0; i < values.get("distances").size(); i++) {
        int distance = values.get("distances").get(i).intValue();
        for (int k = 0; k < values.get("numbers").size(); k++) {
          int number = values.get("numbers").get(k).intValue();
          assertEquals(
              values.get("response").get(i).get(k).doubleValue(),
              response.select(0, distance).toDoubles()[number],
              1e-11,
              number + " after " + distance);
        }
      }
    }
  }

  /**
   * Legendre polynomials on [0, 1], shifted, read the signal of the past from the numbers: a slow
   * wave is given back, also at the far end of the window.
   */
  @Test
  void numbersGiveThePastBack() {
    int order = 12;
    int window = 100;
    int length = 257;
    double[] wave = new double[length];
    for (int t = 0; t < length; t++) {
      wave[t] = Math.sin(2 * Math.PI * t / 90) + 0.3;
    }
    Tensor memory = new LegendreMemory(order, window).of(Tensor.of(wave, 1, length, 1));
    double[] numbers = memory.select(1, length - 1).toDoubles();
    for (int back : new int[] {2, 10, 35, 50, 77, 95}) {
      double place = back / (double) window;
      double x = 2 * place - 1;
      double before = 1;
      double now = x;
      double read = numbers[0] + numbers[1] * x;
      for (int i = 2; i < order; i++) {
        double next = ((2 * i - 1) * x * now - (i - 1) * before) / i;
        before = now;
        now = next;
        read += numbers[i] * next;
      }
      // Signals are constant during a step, so the value is half a step older.
      double expected = Math.sin(2 * Math.PI * (length - 0.5 - back) / 90) + 0.3;
      assertEquals(expected, read, 0.01, back + " steps back");
    }
  }

  /** Signals at once, in pieces and step by step; 256 numbers are LMUFormer's. */
  @Test
  void piecesAreTheWhole() {
    Random.seed(5);
    for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
      for (int order : new int[] {5, 256}) {
        LegendreMemory memory = new LegendreMemory(order, 128);
        Tensor signals = Tensor.randn(2, 200, 3).abs().to(dtype);
        Tensor whole = memory.of(signals);
        double tolerance = dtype == DType.FLOAT64 ? 1e-10 : 1e-4;
        Tensor state = null;
        int at = 0;
        for (int piece : new int[] {1, 1, 61, 1, 66, 1, 1, 68}) {
          Tensor next = memory.of(signals.narrow(1, at, piece), state);
          assertClose(
              whole.narrow(1, at, piece).contiguous().toDoubles(),
              next,
              tolerance,
              order + " numbers from " + at);
          state = next.select(1, piece - 1);
          at += piece;
        }
        state = null;
        for (int t = 0; t < 200; t++) {
          state = memory.of(signals.narrow(1, t, 1), state).select(1, 0);
        }
        assertClose(whole.select(1, 199).contiguous().toDoubles(), state, tolerance, "last step");
      }
    }
  }

  @Test
  void refusesSizesThatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> new LegendreMemory(0, 5));
    assertThrows(IllegalArgumentException.class, () -> new LegendreMemory(3, 0));
    assertThrows(IllegalArgumentException.class, () -> new LegendreMemory(3, Double.NaN));
  }
}
