package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SamplingTest {
  @Test
  void refusesWhatIsOutOfRangeAndNamesIt() {
    refused("temperature is -0.1", () -> new Sampling(-0.1, 0, 1, 0, 1, 0));
    refused("temperature is NaN", () -> new Sampling(Double.NaN, 0, 1, 0, 1, 0));
    refused("temperature is Infinity", () -> new Sampling(1.0 / 0, 0, 1, 0, 1, 0));
    refused("topK is -1", () -> new Sampling(1, -1, 1, 0, 1, 0));
    refused("topP is 0.0", () -> new Sampling(1, 0, 0, 0, 1, 0));
    refused("topP is 1.01", () -> new Sampling(1, 0, 1.01, 0, 1, 0));
    refused("topP is NaN", () -> new Sampling(1, 0, Double.NaN, 0, 1, 0));
    refused("minP is -0.5", () -> new Sampling(1, 0, 1, -0.5, 1, 0));
    refused("minP is 1.5", () -> new Sampling(1, 0, 1, 1.5, 1, 0));
    refused("repetitionPenalty is 0.0", () -> new Sampling(1, 0, 1, 0, 0, 0));
    refused("repetitionPenalty is Infinity", () -> new Sampling(1, 0, 1, 0, 1.0 / 0, 0));
  }

  private static void refused(String message, Runnable making) {
    Exception e = assertThrows(IllegalArgumentException.class, making::run);
    assertTrue(e.getMessage().startsWith(message), e.getMessage());
  }
}
