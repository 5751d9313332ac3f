package dev.jformer.train;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/** What probes of features have in common. */
final class Probes {
  private Probes() {}

  static void check(Tensor features, int[] labels, Tensor test, int[] right) {
    if (features.rank() != 2
        || test.rank() != 2
        || features.size(0) != labels.length
        || test.size(0) != right.length
        || features.size(1) != test.size(1)
        || right.length == 0) {
      throw new IllegalArgumentException(
          "features are "
              + features.shape()
              + " with "
              + labels.length
              + " labels, those of the test "
              + test.shape()
              + " with "
              + right.length
              + ": expected [N, D] and [M, D], with a label for each row");
    }
  }

  static int classes(int[] labels, int[] right) {
    IntStream all = IntStream.concat(Arrays.stream(labels), Arrays.stream(right));
    return all.max().orElseThrow() + 1;
  }
}
