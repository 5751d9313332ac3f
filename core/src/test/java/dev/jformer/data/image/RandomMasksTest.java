package dev.jformer.data.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class RandomMasksTest {
  private static int hidden(boolean[] mask) {
    return (int) IntStream.range(0, mask.length).filter(i -> mask[i]).count();
  }

  @ParameterizedTest
  @CsvSource({"8,8,0", "8,8,1", "28,28,0.5", "16,40,1", "40,3,0.5", "2,1,0.5"})
  void theShareThatIsHiddenIsDrawnEvenly(int height, int width, double strokes) {
    RandomMasks masks = new RandomMasks(0.1, 0.6, strokes);
    SplittableRandom random = new SplittableRandom(1);
    int count = 400;
    double area = height * width;
    double sum = 0;
    for (int i = 0; i < count; i++) {
      int hidden = hidden(masks.draw(random, height, width));
      assertTrue(hidden >= 1 && hidden < area, "" + hidden);
      assertTrue(hidden <= Math.max(1, Math.round(0.6 * area)), "" + hidden);
      assertTrue(hidden >= Math.floor(0.1 * area), "" + hidden);
      sum += hidden / area;
    }
    if (area > 60) {
      assertEquals(0.35, sum / count, 4 * 0.5 / Math.sqrt(12.0 * count));
    }
  }

  /** With so few hidden pixels the first shape suffices, but for few short strokes. */
  @Test
  void shapesAreInOnePiece() {
    SplittableRandom random = new SplittableRandom(2);
    for (double strokes : new double[] {0, 1}) {
      RandomMasks masks = new RandomMasks(1e-9, 0.01, strokes);
      int whole = 0;
      for (int i = 0; i < 100; i++) {
        boolean[] mask = masks.draw(random, 28, 28);
        whole += reached(mask) == hidden(mask) ? 1 : 0;
      }
      assertTrue(whole >= (strokes == 0 ? 100 : 95), whole + " in one piece");
    }
  }

  /** The number of hidden pixels that are connected with the first one, corners included. */
  private static int reached(boolean[] mask) {
    boolean[] seen = new boolean[mask.length];
    java.util.ArrayDeque<Integer> open = new java.util.ArrayDeque<>();
    int first = IntStream.range(0, mask.length).filter(i -> mask[i]).findFirst().orElseThrow();
    open.add(first);
    seen[first] = true;
    int count = 0;
    while (!open.isEmpty()) {
      int at = open.pop();
      count++;
      for (int k = 0; k < 9; k++) {
        int y = at / 28 + k / 3 - 1;
        int x = at % 28 + k % 3 - 1;
        if (y >= 0 && y < 28 && x >= 0 && x < 28 && mask[y * 28 + x] && !seen[y * 28 + x]) {
          seen[y * 28 + x] = true;
          open.add(y * 28 + x);
        }
      }
    }
    return count;
  }

  @Test
  void masksFollowFromTheSeed() {
    RandomMasks masks = new RandomMasks();
    Tensor first = masks.visible(new SplittableRandom(3), 5, 8, 12);
    assertEquals("[5x1x8x12]", first.shape().toString());
    assertTrue(first.sameAs(masks.visible(new SplittableRandom(3), 5, 8, 12)));
    assertTrue(!first.sameAs(masks.visible(new SplittableRandom(4), 5, 8, 12)));
    boolean[] one = masks.draw(new SplittableRandom(3), 8, 12);
    long[] bits = first.select(0, 0).to(dev.jformer.tensor.DType.INT64).flatten(0, 2).toLongs();
    boolean[] visible = new boolean[one.length];
    for (int i = 0; i < visible.length; i++) {
      visible[i] = bits[i] == 0;
    }
    assertArrayEquals(one, visible);
    assertEquals(1, hidden(masks.draw(new SplittableRandom(1), 1, 1)), "one pixel is hidden");
  }

  @Test
  void refusesShares() {
    assertThrows(IllegalArgumentException.class, () -> new RandomMasks(0.5, 0.4, 0));
    assertThrows(IllegalArgumentException.class, () -> new RandomMasks(0.1, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new RandomMasks(0.1, 0.5, 2));
  }
}
