package dev.jformer.rasp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ProgramsTest {
  private static final int LONGEST = 60;
  private final Random random = new Random(7);

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  private static int[] prompt(int... body) {
    return join(new int[] {Programs.START}, body, new int[] {Programs.ANSWER});
  }

  private static void assertAnswer(int[] answer, Program program, int[] prompt) {
    int[] expected = join(answer, new int[] {Programs.END});
    int[] given = program.generate(prompt, Programs.END, expected.length + 5);
    assertArrayEquals(expected, given, () -> program.name() + " on " + Arrays.toString(prompt));
  }

  private int[] different(int count) {
    List<Integer> all = new ArrayList<>(IntStream.range(0, 2 * count).boxed().toList());
    Collections.shuffle(all, random);
    return all.stream().mapToInt(Integer::intValue).limit(count).toArray();
  }

  @Test
  void counts() {
    for (int length = 1; length <= LONGEST; length += 7) {
      int from = random.nextInt(50);
      int[] answer = IntStream.range(from, from + length).toArray();
      assertAnswer(answer, Programs.count(), prompt(from, from + length - 1));
    }
  }

  @Test
  void copiesDifferentTokens() {
    for (int length = 1; length <= LONGEST; length++) {
      int[] tokens = different(length);
      assertAnswer(tokens, Programs.copyUnique(), prompt(tokens));
    }
  }

  @Test
  void sortsDifferentTokens() {
    for (int length = 1; length <= LONGEST; length++) {
      int[] tokens = different(length);
      assertAnswer(Arrays.stream(tokens).sorted().toArray(), Programs.sort(), prompt(tokens));
    }
  }

  @Test
  void findsTheMostFrequentToken() {
    for (int length = 1; length <= LONGEST; length++) {
      int[] tokens = random.ints(length, 0, 6).toArray();
      Map<Integer, Integer> counts = new LinkedHashMap<>();
      int best = tokens[0];
      for (int token : tokens) {
        if (counts.merge(token, 1, Integer::sum) > counts.getOrDefault(best, 0)) {
          best = token;
        }
      }
      assertAnswer(new int[] {best}, Programs.mostFrequent(), prompt(tokens));
    }
  }

  @Test
  void followsTheParityWithHints() {
    for (int length = 1; length <= LONGEST; length++) {
      int[] prompt = new int[2 * length];
      List<Integer> answer = new ArrayList<>();
      boolean odd = false;
      for (int i = 0; i < length; i++) {
        prompt[2 * i] = Programs.FIRST_HINT - i;
        prompt[2 * i + 1] = random.nextInt(2);
        if (prompt[2 * i + 1] == 1) {
          odd = !odd;
          answer.add(prompt[2 * i]);
          answer.add(odd ? Programs.ODD : Programs.EVEN);
        }
      }
      assertAnswer(
          answer.stream().mapToInt(Integer::intValue).toArray(),
          Programs.parityWithHints(),
          prompt(prompt));
    }
  }

  @Test
  void addsInBothDirections() {
    for (int digits : new int[] {1, 2, 3, 7, 12, 17}) {
      long limit = (long) Math.pow(10, digits);
      for (int sample = 0; sample < 8; sample++) {
        long a = random.nextLong(limit);
        // Half of the sums have long chains of nines, with and without a carry behind them.
        long b = sample % 2 == 0 ? random.nextLong(limit) : limit - 1 - a + random.nextInt(2);
        checkSum(a, b, digits + 1);
      }
    }
  }

  private static void checkSum(long a, long b, int digits) {
    int[] sum = hinted(a + b, digits);
    int[] reversed = new int[sum.length];
    for (int i = 0; i < digits; i++) {
      reversed[2 * i] = sum[2 * (digits - 1 - i)];
      reversed[2 * i + 1] = sum[2 * (digits - 1 - i) + 1];
    }
    int[] prompt = prompt(join(hinted(a, digits), new int[] {Programs.PLUS}, hinted(b, digits)));
    assertAnswer(sum, Programs.add(), prompt);
    assertAnswer(reversed, Programs.addReversed(), prompt);
  }

  private static int[] hinted(long number, int digits) {
    int[] tokens = new int[2 * digits];
    for (int i = digits - 1; i >= 0; i--) {
      tokens[2 * i] = Programs.FIRST_HINT - i;
      tokens[2 * i + 1] = (int) (number % 10);
      number /= 10;
    }
    return tokens;
  }

  /** The order that the paper's conjecture rests on. */
  @Test
  void addingForwardsIsLongerThanBackwards() {
    assertTrue(Programs.add().length() > Programs.addReversed().length());
    assertTrue(Programs.copyUnique().length() < Programs.addReversed().length());
  }

  @Test
  void sharedExpressionsCountOnce() {
    Sequence x = Sequence.tokens();
    Sequence one = Library.shiftRight(x, 2, 0);
    Sequence same = Library.shiftRight(x, 2, 0);
    assertEquals(3, one.operations(), "two steps and an attention");
    assertEquals(4, one.zip("+", same, Integer::sum).operations());
  }
}
