package dev.jformer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.io.InputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Against scipy's matrix square root; tools/fixtures/make_frechet.py wrote what it says. */
@ExtendWith(Scoped.class)
class FrechetDistanceTest {
  private static Tensor matrix(JsonNode rows) {
    int width = rows.get(0).size();
    double[] values = new double[rows.size() * width];
    for (int i = 0; i < values.length; i++) {
      values[i] = rows.get(i / width).get(i % width).asDouble();
    }
    return Tensor.of(values, rows.size(), width);
  }

  @Test
  void distancesAreThoseOfScipy() throws IOException {
    try (InputStream in = FrechetDistanceTest.class.getResourceAsStream("frechet.json")) {
      JsonNode cases = new JsonMapper().readTree(in);
      assertEquals(4, cases.size());
      for (JsonNode each : cases) {
        Tensor features = matrix(each.get("features"));
        Tensor others = matrix(each.get("others"));
        double expected = each.get("distance").asDouble();
        assertEquals(expected, FrechetDistance.of(features, others), 1e-5 * expected);
        assertEquals(expected, FrechetDistance.of(others, features), 1e-5 * expected);
        assertEquals(0, FrechetDistance.of(features, features), 1e-5);
      }
    }
  }

  /** In one dimension it is the squared distance of means and of deviations. */
  @Test
  void inOneDimensionItIsTheDistanceOfMeansAndDeviations() {
    Tensor a = Tensor.randn(50, 1).to(DType.FLOAT64);
    Tensor b = a.mul(-3.0).add(5.0);
    double deviation = Math.sqrt(a.variance(0, false).item() * 50 / 49);
    double shift = a.mul(-4.0).add(5.0).mean().item();
    double expected = shift * shift + 4 * deviation * deviation;
    assertEquals(expected, FrechetDistance.of(a, b), 1e-9 * expected);
  }

  @Test
  void refusesWhatIsNoSetOfFeatures() {
    assertMessage("[1x3]", Tensor.randn(1, 3), Tensor.randn(4, 3));
    assertMessage("as many numbers", Tensor.randn(5, 2), Tensor.randn(4, 3));
    assertMessage("not finite", Tensor.randn(5, 2), Tensor.full(Double.NaN, DType.FLOAT32, 3, 2));
  }

  private static void assertMessage(String expected, Tensor a, Tensor b) {
    String message =
        assertThrows(IllegalArgumentException.class, () -> FrechetDistance.of(a, b)).getMessage();
    assertTrue(message.contains(expected), message);
  }
}
