package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class MovingAverageTest {
  private static final class Part extends Module {
    private final Parameter weight = parameter("weight", Tensor.zeros(1));
    private final Parameter temperature = buffer("temperature", Tensor.ones(1));
  }

  /** A buffer, such as the temperature of a gate, is in the averaged model what it is now. */
  @Test
  void averagesWeightsButNoBuffers() {
    Part part = new Part();
    try (MovingAverage average = new MovingAverage(part, 0.75)) {
      double expected = 0;
      for (int n = 1; n <= 100; n++) {
        part.weight.copyFrom(Tensor.ones(1).mul((double) n));
        part.temperature.copyFrom(Tensor.ones(1).div((double) n));
        average.update(n);
        double decay = Math.min(0.75, (1.0 + n) / (10.0 + n));
        expected = decay * expected + (1 - decay) * n;
      }
      assertEquals(Set.of("weight"), average.state().keySet());
      average.swap();
      assertEquals(expected, part.weight.value().item(), 1e-3);
      assertArrayEquals(new double[] {0.01f}, part.temperature.value().toDoubles());
      average.swap();
      assertEquals(100, part.weight.value().item());
    }
    part.close();
  }
}
