package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ListOpsTest {
  @ParameterizedTest
  @CsvSource({"0, 7, 1, 5", "0, 39, 3, 4", "60, 95, 4, 5", "0, 19, 10, 2", "200, 512, 10, 10"})
  void answersAreThoseOfReadingFromLeftToRight(int shortest, int longest, int depth, int operands) {
    ListOps problem = new ListOps(shortest, longest, depth, operands);
    SplittableRandom random = new SplittableRandom(3);
    int[] seen = new int[10];
    int deepest = 0;
    int largest = 0;
    for (int i = 0; i < 400; i++) {
      Example example = problem.draw(random);
      Reading reading = new Reading(example.prompt());
      assertEquals(List.of(Integer.toString(reading.value)), example.answer(), example::toString);
      assertTrue(problem.tokens().containsAll(example.prompt()));
      int length = example.prompt().size();
      assertTrue(length >= shortest && length <= longest, "length " + length);
      assertTrue(reading.deepest <= depth && reading.most <= operands);
      assertEquals(reading.deepest, example.traits().get("depth"));
      seen[reading.value]++;
      deepest = Math.max(deepest, reading.deepest);
      largest = Math.max(largest, length);
    }
    for (int count : seen) {
      assertTrue(count > 0, "every result occurs");
    }
    assertTrue(deepest > 1 || depth == 1);
    assertTrue(largest > longest / 2, "the longest of 400 has " + largest);
  }

  @Test
  void theRulesAreThoseOfTheName() {
    assertEquals(9, new Reading(List.of("[MAX 2 9 [MIN 4 7 ] 0 ]".split(" "))).value);
    assertEquals(
        List.of(
            "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "[MIN", "[MAX", "[MED", "[SM", "]"),
        new ListOps().tokens());
  }

  @Test
  void refusesWhatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> new ListOps(0, 6, 1, 5));
    assertThrows(IllegalArgumentException.class, () -> new ListOps(0, 40, 0, 5));
    assertThrows(IllegalArgumentException.class, () -> new ListOps(0, 40, 2, 1));
    assertThrows(IllegalArgumentException.class, () -> new ListOps(41, 40, 2, 3));
    ListOps tooLong = new ListOps(5000, 5000, 2, 2);
    var failure = assertThrows(DataException.class, () -> tooLong.draw(new SplittableRandom(1)));
    assertTrue(failure.getMessage().contains("lower shortest"), failure.getMessage());
  }

  /** An expression read with a stack of open lists. */
  private static final class Reading {
    final int value;
    int deepest;
    int most;

    Reading(List<String> symbols) {
      Deque<String> operations = new ArrayDeque<>();
      Deque<List<Integer>> open = new ArrayDeque<>();
      open.push(new ArrayList<>());
      for (String symbol : symbols) {
        if (symbol.startsWith("[")) {
          operations.push(symbol);
          open.push(new ArrayList<>());
          deepest = Math.max(deepest, operations.size());
        } else if (symbol.equals("]")) {
          List<Integer> operands = open.pop();
          most = Math.max(most, operands.size());
          assertTrue(operands.size() >= 2);
          open.element().add(result(operations.pop(), operands));
        } else {
          open.element().add(Integer.parseInt(symbol));
        }
      }
      assertTrue(operations.isEmpty(), "every list ends");
      assertEquals(1, open.element().size());
      value = open.element().get(0);
    }

    private static int result(String operation, List<Integer> operands) {
      operands.sort(null);
      int n = operands.size();
      return switch (operation) {
        case "[MIN" -> operands.get(0);
        case "[MAX" -> operands.get(n - 1);
        case "[MED" ->
            n % 2 == 1 ? operands.get(n / 2) : (operands.get(n / 2 - 1) + operands.get(n / 2)) / 2;
        case "[SM" -> operands.stream().mapToInt(Integer::intValue).sum() % 10;
        default -> throw new AssertionError(operation);
      };
    }
  }
}
