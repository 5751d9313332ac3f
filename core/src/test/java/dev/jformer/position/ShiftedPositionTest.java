package dev.jformer.position;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ShiftedPositionTest {
  private static final int LENGTH = 10;
  private static final int WIDTH = 3;

  private static Position position() {
    Position position = new ShiftedPosition.Config(1).build(WIDTH, 1, WIDTH, LENGTH);
    position.train(true);
    return position;
  }

  private static float[] rows(Position position, int from, int count) {
    return position
        .parameters()
        .get("weight")
        .value()
        .detach()
        .narrow(0, from, count)
        .flatten(0, 1)
        .toFloats();
  }

  /** Each sequence gets neighbouring rows, and all places to begin at occur. */
  @Test
  void sequencesBeginAnywhereInTraining() {
    Position position = position();
    for (int length : new int[] {1, 4, 9, 10}) {
      Set<Integer> begun = new TreeSet<>();
      float[] added = position.embed(Tensor.zeros(200, length, WIDTH), 0).flatten(0, 2).toFloats();
      for (int row = 0; row < 200; row++) {
        float[] own = Arrays.copyOfRange(added, row * length * WIDTH, (row + 1) * length * WIDTH);
        int start = 0;
        while (!Arrays.equals(own, rows(position, start, length))) {
          start++;
        }
        begun.add(start);
      }
      assertEquals(LENGTH - length + 1, begun.size(), length + " tokens begin at " + begun);
    }
  }

  @Test
  void inferenceBeginsAtTheFirst() {
    Position position = position();
    position.train(false);
    for (int start : new int[] {0, 3}) {
      float[] added = position.embed(Tensor.zeros(2, 5, WIDTH), start).flatten(0, 2).toFloats();
      assertArrayEquals(rows(position, start, 5), Arrays.copyOf(added, 15));
      assertArrayEquals(rows(position, start, 5), Arrays.copyOfRange(added, 15, 30));
    }
  }

  @Test
  void allPositionsAreTrained() {
    Position position = position();
    position.embed(Tensor.zeros(200, 4, WIDTH), 0).sum().backward();
    float[] gradients = position.parameters().get("weight").value().grad().flatten(0, 1).toFloats();
    for (float gradient : gradients) {
      assertTrue(gradient > 0, Arrays.toString(gradients));
    }
  }
}
