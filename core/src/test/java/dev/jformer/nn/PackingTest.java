package dev.jformer.nn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PackingTest {
  @Test
  void eachSequenceIsMappedByItself() {
    Packing packing = new Packing(List.of(List.of(3, 1, 2), List.of(6)));
    assertEquals(6, packing.width());
    assertEquals(6, packing.longest());
    Tensor x = Tensor.arange(0, 24).view(2, 2, 6).to(dev.jformer.tensor.DType.FLOAT32);
    Tensor mapped = packing.map(x, 2, part -> part.sub(part.select(2, 0).unsqueeze(2)));
    double[] row = {0, 1, 2, 0, 0, 1, 0, 1, 2, 0, 0, 1};
    assertClose(row, mapped.select(0, 0).flatten(0, 1), 0);
    double[] whole = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5};
    assertClose(whole, mapped.select(0, 1).flatten(0, 1), 0);
  }

  /** Sequences of similar length are mapped together, padded or not. */
  @Test
  void sequencesAreMappedTogether() {
    Packing packing = new Packing(List.of(List.of(3, 1, 2, 10), List.of(9, 2, 5)));
    Tensor x = Tensor.randn(2, 16, 3);
    for (boolean padded : new boolean[] {true, false}) {
      java.util.List<String> batches = new java.util.ArrayList<>();
      Tensor together =
          packing.mapTogether(
              x,
              padded,
              part -> {
                batches.add(part.size(0) + "x" + part.size(1));
                return part.cumsum(1);
              });
      assertClose(packing.map(x, 1, part -> part.cumsum(1)), together, 1e-6);
      List<String> expected =
          padded
              ? List.of("2x10", "1x5", "1x3", "2x2", "1x1")
              : List.of("1x10", "1x9", "1x5", "1x3", "2x2", "1x1");
      assertEquals(expected, batches);
    }
  }

  @Test
  void refusesWhatDoesNotAddUp() {
    var rows =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Packing(List.of(List.of(3, 1), List.of(3, 2))));
    assertTrue(rows.getMessage().contains("[3, 2]"), rows.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Packing(List.of(List.of(3, 0))));
    Packing packing = new Packing(List.of(List.of(3, 1)));
    assertThrows(
        IllegalArgumentException.class, () -> packing.map(Tensor.zeros(1, 5), 1, part -> part));
  }
}
