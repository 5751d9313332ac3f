package dev.jformer.data.algorithm;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/**
 * The length of the longest increasing subsequence, as in <a
 * href="https://arxiv.org/abs/2305.15408">Towards Revealing the Mystery behind Chain of Thought: A
 * Theoretical Perspective</a>. One to three increasing runs are hidden in random numbers. A
 * derivation has, for each number, the length of the longest subsequence that ends with it.
 *
 * @param length number of numbers
 * @param numbers one more than the largest number; the smallest is {@code length + 1}, so that
 *     numbers and lengths are different symbols
 * @param derivation whether the answer has all lengths, or the largest only
 */
@AutoService(Problem.class)
public record LongestIncreasing(int length, int numbers, boolean derivation) implements Problem {
  private static final String NEXT = "<sep>";

  /** Defaults: fifty numbers below 150, with derivations. */
  public LongestIncreasing() {
    this(50, 150, true);
  }

  /** Checks the values. */
  public LongestIncreasing {
    Checks.between("length", length, 3, 500);
    Checks.atLeast("numbers", numbers, 2L * length + 1);
  }

  @Override
  public String type() {
    return "longest-increasing";
  }

  @Override
  public String separator() {
    return " ";
  }

  @Override
  public List<String> symbols() {
    return Symbols.join(List.of(END, NEXT), Symbols.numbers(1, numbers));
  }

  @Override
  public Example draw(RandomGenerator random) {
    int[] sequence = sequence(random);
    int[] lengths = lengths(sequence);
    String longest = Integer.toString(Arrays.stream(lengths).max().orElse(0));
    List<String> answer = new ArrayList<>();
    if (derivation) {
      answer.addAll(Symbols.of(lengths));
      answer.add(NEXT);
    }
    answer.add(longest);
    return new Example(
        Symbols.join(Symbols.of(sequence), List.of(NEXT)), answer, Map.of("length", length));
  }

  private int[] sequence(RandomGenerator random) {
    int total = 3 + random.nextInt(length - 2);
    int runs = 1 + random.nextInt(3);
    int[] planted = new int[total];
    int from = 0;
    for (int run = 1; run <= runs; run++) {
      int left = total - from;
      int size =
          run == runs ? left : Math.min(left, 1 + random.nextInt(left / (runs - run + 1) + 1));
      int[] values = pick(size, numbers - length - 1, random);
      for (int i = 0; i < size; i++) {
        planted[from + i] = values[i] + length + 1;
      }
      from += size;
    }
    int[] places = pick(total, length, random);
    int[] sequence = random.ints(length, length + 1, numbers).toArray();
    for (int i = 0; i < total; i++) {
      sequence[places[i]] = planted[i];
    }
    return sequence;
  }

  /** Picks different numbers below a limit, in increasing order. */
  private static int[] pick(int count, int limit, RandomGenerator random) {
    int[] all = IntStream.range(0, limit).toArray();
    for (int i = 0; i < count; i++) {
      int other = i + random.nextInt(limit - i);
      int swapped = all[i];
      all[i] = all[other];
      all[other] = swapped;
    }
    return Arrays.stream(all, 0, count).sorted().toArray();
  }

  private static int[] lengths(int[] sequence) {
    int[] lengths = new int[sequence.length];
    for (int i = 0; i < lengths.length; i++) {
      lengths[i] = 1;
      for (int j = 0; j < i; j++) {
        if (sequence[j] < sequence[i]) {
          lengths[i] = Math.max(lengths[i], lengths[j] + 1);
        }
      }
    }
    return lengths;
  }

  @Override
  public int mostSymbols() {
    return length + 1 + (derivation ? length + 1 : 0) + 2;
  }

  @Override
  public List<String> result(List<String> answer) {
    return Symbols.afterLast(answer, NEXT);
  }
}
