package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PathfinderTest {
  /** The dots are joined if one is reached from the other over gaps; paths do not touch. */
  @ParameterizedTest
  @CsvSource({"16, 14, 2, 2, 1", "12, 8, 0, 1, 1", "32, 30, 4, 3, 2", "24, 16, 3, 2, 3"})
  void theAnswerIsThatOfASearchInTheImage(
      int side, int length, int distractors, int dash, int gap) {
    Pathfinder problem = new Pathfinder(side, length, distractors, dash, gap);
    SplittableRandom random = new SplittableRandom(8);
    int joined = 0;
    int count = 200;
    for (int i = 0; i < count; i++) {
      Example example = problem.draw(random);
      List<String> pixels = example.prompt();
      assertEquals(side * side, pixels.size());
      int[] dots = IntStream.range(0, side * side).filter(p -> pixels.get(p).equals("o")).toArray();
      assertEquals(2, dots.length);
      boolean[] reached = reached(pixels, dots[0], side, gap);
      assertEquals(example.answer().get(0), reached[dots[1]] ? "1" : "0", show(pixels, side));
      assertEquals(2 + distractors, paths(pixels, side, gap), show(pixels, side));
      joined += example.answer().get(0).equals("1") ? 1 : 0;
    }
    assertEquals(count / 2.0, joined, 4 * Math.sqrt(count) / 2, "both classes are as frequent");
  }

  private static boolean[] reached(List<String> pixels, int from, int side, int gap) {
    boolean[] reached = new boolean[pixels.size()];
    Deque<Integer> open = new ArrayDeque<>(List.of(from));
    reached[from] = true;
    while (!open.isEmpty()) {
      int at = open.pop();
      for (int other = 0; other < reached.length; other++) {
        int rows = Math.abs(at / side - other / side);
        int columns = Math.abs(at % side - other % side);
        boolean near = Math.max(rows, columns) <= gap + 1;
        if (near && !reached[other] && !pixels.get(other).equals(".")) {
          reached[other] = true;
          open.push(other);
        }
      }
    }
    return reached;
  }

  private static int paths(List<String> pixels, int side, int gap) {
    boolean[] seen = new boolean[pixels.size()];
    int count = 0;
    for (int i = 0; i < seen.length; i++) {
      if (!seen[i] && !pixels.get(i).equals(".")) {
        count++;
        boolean[] reached = reached(pixels, i, side, gap);
        for (int j = 0; j < seen.length; j++) {
          seen[j] |= reached[j];
        }
      }
    }
    return count;
  }

  private static String show(List<String> pixels, int side) {
    StringBuilder text = new StringBuilder("\n");
    for (int row = 0; row < side; row++) {
      text.append(String.join("", pixels.subList(row * side, (row + 1) * side))).append('\n');
    }
    return text.toString();
  }

  @Test
  void saysThatThereIsNoRoom() {
    Pathfinder crowded = new Pathfinder(8, 16, 8, 2, 2);
    var failure = assertThrows(DataException.class, () -> crowded.draw(new SplittableRandom(1)));
    assertTrue(failure.getMessage().contains("raise side"), failure.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new Pathfinder(4, 4, 0, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> new Pathfinder(16, 4, 0, 5, 1));
  }
}
