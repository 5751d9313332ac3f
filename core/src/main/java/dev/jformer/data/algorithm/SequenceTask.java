package dev.jformer.data.algorithm;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What is to be made of a sequence of numbers. */
public enum SequenceTask {
  /** The same numbers; some may occur twice. */
  COPY,
  /** The same numbers, all different. */
  COPY_UNIQUE,
  /** The numbers from the last to the first. */
  REVERSE,
  /** The numbers in order, all different. */
  SORT,
  /** The numbers in order; some may occur twice. */
  SORT_REPEATED,
  /** All numbers from the first to the second. */
  COUNT,
  /** The most frequent number; there is one only. */
  MODE,
  /** Whether the sum is even, 0, or odd, 1. */
  PARITY,
  /** For each number, how often it occurs. */
  HISTOGRAM,
  /** For each number, how many different numbers occur as often. */
  DOUBLE_HISTOGRAM,
  /** The numbers by how often they occur, the most frequent first; of equals the one seen first. */
  MOST_FREQUENT;

  boolean isUnique() {
    return this == COPY_UNIQUE || this == SORT;
  }

  /** Whether answers are counts, which may be larger than the numbers of prompts. */
  boolean counts() {
    return this == HISTOGRAM || this == DOUBLE_HISTOGRAM;
  }

  /** The answer. */
  List<Integer> of(List<Integer> given) {
    return switch (this) {
      case COPY, COPY_UNIQUE -> given;
      case REVERSE -> {
        List<Integer> reversed = new ArrayList<>(given);
        Collections.reverse(reversed);
        yield reversed;
      }
      case SORT, SORT_REPEATED -> given.stream().sorted().toList();
      case COUNT -> IntStream.rangeClosed(given.get(0), given.get(1)).boxed().toList();
      case MODE -> byFrequency(given).subList(0, 1);
      case PARITY -> List.of(given.stream().mapToInt(Integer::intValue).sum() % 2);
      case HISTOGRAM -> given.stream().map(counts(given)::get).toList();
      case DOUBLE_HISTOGRAM -> {
        Map<Integer, Integer> counts = counts(given);
        Map<Integer, Integer> same = counts(new ArrayList<>(counts.values()));
        yield given.stream().map(number -> same.get(counts.get(number))).toList();
      }
      case MOST_FREQUENT -> byFrequency(given);
    };
  }

  private static Map<Integer, Integer> counts(List<Integer> numbers) {
    Map<Integer, Integer> counts = new HashMap<>();
    numbers.forEach(number -> counts.merge(number, 1, Integer::sum));
    return counts;
  }

  private static List<Integer> byFrequency(List<Integer> numbers) {
    Map<Integer, Integer> counts = counts(numbers);
    return numbers.stream()
        .distinct()
        .sorted(Comparator.comparing((Integer number) -> -counts.get(number)))
        .toList();
  }
}
