package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Scope;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListBatchesTest {
  private static final int MIN = 10;
  private static final int MEDIAN = 12;
  private static final int SUM = 13;
  private static final int END = 14;
  private static final int RESULT = 15;
  private static final int PADDING = 16;

  @ParameterizedTest
  @CsvSource({"8, 1, 5", "40, 3, 4", "96, 4, 5", "20, 10, 2"})
  void resultsAreThoseOfReadingFromLeftToRight(int length, int depth, int operands) {
    try (Scope scope = Scope.open()) {
      TokenLabelling.Batch batch = new ListBatches(length, depth, operands).batch(300, 7);
      double[] ids = batch.ids().toDoubles();
      double[] keep = batch.paddingMask().toDoubles();
      double[] targets = batch.targets().toDoubles();
      int[] seen = new int[ListBatches.LABELS];
      int deepest = 0;
      for (int row = 0; row < 300; row++) {
        int at = row * length;
        assertEquals(RESULT, ids[at]);
        Deque<List<Integer>> open = new ArrayDeque<>();
        open.push(new ArrayList<>());
        int token = 1;
        for (; token < length && ids[at + token] != PADDING; token++) {
          int id = (int) ids[at + token];
          if (id == END) {
            int value = value(open.pop());
            open.element().add(value);
          } else if (id < MIN) {
            open.element().add(id);
          } else {
            open.push(new ArrayList<>(List.of(id)));
          }
          deepest = Math.max(deepest, open.size() - 1);
          assertEquals(-1, targets[at + token]);
          assertEquals(1, keep[at + token]);
        }
        for (; token < length; token++) {
          assertEquals(PADDING, ids[at + token]);
          assertEquals(0, keep[at + token]);
        }
        assertEquals(1, open.size(), "every list ends");
        assertEquals(open.element(), List.of((int) targets[at]));
        seen[(int) targets[at]]++;
      }
      for (int count : seen) {
        assertTrue(count > 0, "every result occurs");
      }
      assertTrue(deepest <= depth && (depth == 1 || deepest > 1), "lists are " + deepest + " deep");
    }
  }

  /** An operation and its operands. */
  private static int value(List<Integer> list) {
    List<Integer> operands = new ArrayList<>(list.subList(1, list.size()));
    operands.sort(null);
    int n = operands.size();
    return switch (list.get(0)) {
      case MIN -> operands.get(0);
      case MIN + 1 -> operands.get(n - 1);
      case MEDIAN ->
          n % 2 == 1 ? operands.get(n / 2) : (operands.get(n / 2 - 1) + operands.get(n / 2)) / 2;
      case SUM -> operands.stream().mapToInt(Integer::intValue).sum() % 10;
      default -> throw new AssertionError("no operation: " + list);
    };
  }

  @Test
  void theSeedSaysAll() {
    ListBatches problems = new ListBatches(40, 3, 4);
    try (Scope scope = Scope.open()) {
      assertArrayEquals(
          problems.batch(9, 5).ids().toDoubles(), problems.batch(9, 5).ids().toDoubles());
      assertFalse(problems.batch(9, 5).ids().sameAs(problems.batch(9, 6).ids()));
    }
  }

  @Test
  void refusesListsThatDoNotFit() {
    assertThrows(IllegalArgumentException.class, () -> new ListBatches(7, 1, 5));
    assertThrows(IllegalArgumentException.class, () -> new ListBatches(40, 0, 5));
    assertThrows(IllegalArgumentException.class, () -> new ListBatches(40, 2, 1));
  }
}
