package dev.jformer.mixer.linear;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class PrefixSumsTest {
  /** Sums of whole numbers are exact, and so is the comparison. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 31, 32, 33, 48, 100, 512, 529, 600})
  void addUpWhatCameBefore(int rows) {
    Tensor x = Tensor.randint(-9, 10, 2, rows, 3);
    long[] numbers = x.toLongs();
    double[] expected = new double[numbers.length];
    for (int g = 0; g < 2; g++) {
      for (int n = 1; n < rows; n++) {
        for (int f = 0; f < 3; f++) {
          int here = (g * rows + n) * 3 + f;
          expected[here] = expected[here - 3] + numbers[here - 3];
        }
      }
    }
    Tensor sums = PrefixSums.exclusive(x.to(dev.jformer.tensor.DType.FLOAT32));
    assertArrayEquals(expected, sums.toDoubles());
  }
}
