package dev.jformer.program;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.program.DiscreteProgram.Scores;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;

class DiscreteProgramTest {
  private static final List<String> DIGITS =
      List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");

  /** One-hot scores of a variable's values. */
  private static double[][] identity(int values) {
    double[][] scores = new double[values][values];
    for (int i = 0; i < values; i++) {
      scores[i][i] = 1;
    }
    return scores;
  }

  /** Written by hand: sequences of ten are reversed, each position takes the token at 9 - i. */
  private static DiscreteProgram reverse() {
    int[] mirror = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    return new DiscreteProgram(
        "Reverse",
        DIGITS,
        DIGITS,
        10,
        10,
        false,
        List.of(new Step.Select("mirror", 1, 1, 0, mirror)),
        new Scores(
            new double[10], new double[][][] {null, null, identity(10)}, new double[][] {null}));
  }

  /** Counts equal tokens, and maps the count to its label. */
  private static DiscreteProgram histogram(boolean causal) {
    int[] same = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int[] levels = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    int[][] outputs = new int[10][];
    for (int i = 0; i < 10; i++) {
      outputs[i] = new int[] {i};
    }
    return new DiscreteProgram(
        "Histogram",
        DIGITS,
        DIGITS,
        9,
        10,
        causal,
        List.of(
            new Step.Count("same", 0, 0, 0, same),
            new Step.NumberTable("name", 1, 0, levels, new int[] {1}, outputs)),
        new Scores(
            new double[10],
            new double[][][] {null, null, identity(10)},
            new double[][] {null, null}));
  }

  @Test
  void handWrittenProgramsAreRight() {
    Random random = new Random(1);
    for (int i = 0; i < 200; i++) {
      List<String> digits = digits(random, 10);
      List<String> reversed = new ArrayList<>(digits);
      Collections.reverse(reversed);
      assertEquals(reversed, reverse().run(digits));
      List<String> some = digits(random, 1 + random.nextInt(9));
      List<String> counts =
          some.stream().map(d -> Integer.toString(Collections.frequency(some, d))).toList();
      assertEquals(counts, histogram(false).run(some));
      List<String> soFar = new ArrayList<>();
      for (int j = 0; j < some.size(); j++) {
        soFar.add(Integer.toString(Collections.frequency(some.subList(0, j + 1), some.get(j))));
      }
      assertEquals(soFar, histogram(true).run(some));
    }
  }

  private static List<String> digits(Random random, int count) {
    return random.ints(count, 0, 10).mapToObj(Integer::toString).toList();
  }

  /**
   * The order of candidates written out: by distance, left before right, itself last, the first.
   */
  @Test
  void headsTakeTheClosestMatch() {
    Random random = new Random(2);
    for (int round = 0; round < 500; round++) {
      int length = 1 + random.nextInt(9);
      int[] keys = random.ints(length, 0, 3).toArray();
      int[] wanted = random.ints(3, 0, 4).toArray();
      boolean causal = random.nextBoolean();
      int[] positions = new int[length];
      Arrays.setAll(positions, i -> i);
      int[] found =
          new Step.Select("h", 0, 0, 1, wanted)
              .compute(new Step.State(List.of(keys, positions), List.of()), causal);
      for (int i = 0; i < length; i++) {
        int from = i;
        int sought = wanted[keys[i]];
        int expected =
            java.util.stream.IntStream.range(0, causal ? i + 1 : length)
                .filter(j -> keys[j] == sought)
                .boxed()
                .min(
                    java.util.Comparator.comparingInt(
                        j -> j == from ? 1000 : 2 * Math.abs(j - from) + (j > from ? 1 : 0)))
                .orElse(0);
        assertEquals(expected, found[i]);
      }
    }
  }

  @Test
  void inputsThatItDoesNotKnowAreRefused() {
    DiscreteProgram program = histogram(false);
    String unknown =
        assertThrows(IllegalArgumentException.class, () -> program.run(List.of("x"))).getMessage();
    assertTrue(unknown.contains("'x' is no token"), unknown);
    String many =
        assertThrows(
                IllegalArgumentException.class, () -> program.run(Collections.nCopies(10, "1")))
            .getMessage();
    assertTrue(many.contains("10 tokens: expected 1 to 9"), many);
    assertThrows(IllegalArgumentException.class, () -> program.run(List.of()));
    assertThrows(IllegalArgumentException.class, () -> program.run(1, -1));
  }

  /** What is of no use goes, what is needed stays, and no example gets worse. */
  @Test
  void shorteningLeavesOutWhatDecidesNothing() {
    DiscreteProgram plain = histogram(false);
    List<Step> steps = new ArrayList<>();
    int[] any = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
    steps.add(new Step.Select("useless", 1, 0, 0, any));
    steps.add(new Step.Count("unread", 0, 1, 0, any));
    steps.add(new Step.Count("same", 0, 0, 0, new int[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
    steps.add(((Step.NumberTable) plain.steps().get(1)).rewired((kind, v) -> v == 1 ? 2 : v));
    double[][][] scores = {identity(10), null, null, identity(10)};
    for (double[] row : scores[0]) {
      Arrays.setAll(row, i -> row[i] * 0.001);
    }
    scores[2] = new double[10][10];
    double[][] numbers = {new double[10], new double[10], new double[10]};
    scores[1] = new double[10][10];
    DiscreteProgram longer =
        new DiscreteProgram(
            "Histogram",
            DIGITS,
            DIGITS,
            9,
            10,
            false,
            steps,
            new Scores(new double[10], scores, numbers));
    Random random = new Random(3);
    List<int[]> inputs = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      inputs.add(Programs.input(random, 9, 10));
    }
    ToIntFunction<DiscreteProgram> right =
        program ->
            inputs.stream()
                .mapToInt(input -> Arrays.equals(program.run(input), plain.run(input)) ? 1 : 0)
                .sum();
    assertEquals(100, right.applyAsInt(longer));
    DiscreteProgram shorter = new Shortening(inputs, right).of(longer);
    assertEquals(List.of("same", "name"), shorter.steps().stream().map(Step::name).toList());
    assertEquals(100, right.applyAsInt(shorter));
  }

  /** Codes by a loop over tokens; a text has the label whose scores of all tokens are highest. */
  @Test
  void codesOfTokensAreLookedUp() {
    Random random = new Random(4);
    List<String> tokens = new ArrayList<>(Lexicon.SPECIAL);
    for (int i = 0; i < 40; i++) {
      tokens.add("word" + i);
    }
    for (LabelKind kind : LabelKind.values()) {
      LabelScheme scheme = new LabelScheme(tokens, List.of("a", "b", "c"), 9, false, kind);
      int[] codes = random.ints(tokens.size(), 0, 5).toArray();
      double[][] scores = new double[5][];
      for (int i = 0; i < 5; i++) {
        scores[i] = random.doubles(3).toArray();
      }
      DiscreteProgram program =
          new DiscreteProgram(
              "Lookup",
              scheme,
              9,
              List.of(new Step.Lookup("word1", codes)),
              new Scores(
                  new double[] {0.1, 0, 0},
                  new double[][][] {null, null, scores},
                  new double[][] {null}));
      for (int round = 0; round < 100; round++) {
        int[] input = Programs.input(random, 9, tokens.size());
        double[] sums = new double[3];
        int[] expected = new int[input.length];
        for (int i = 0; i < input.length; i++) {
          double[] own = scores[codes[input[i]]].clone();
          own[0] += 0.1;
          for (int label = 0; label < 3; label++) {
            sums[label] += own[label];
            expected[i] = own[label] > own[expected[i]] ? label : expected[i];
          }
        }
        if (kind == LabelKind.TEXTS) {
          double best = Arrays.stream(sums).max().orElseThrow();
          assertEquals(best, sums[program.run(input)[0]], 1e-12);
        } else {
          assertArrayEquals(expected, program.run(input));
        }
      }
    }
  }

  /** Random programs stay as they are where all that they have is needed, and run alike. */
  @Test
  void shorteningKeepsRandomProgramsRight() {
    for (int seed = 0; seed < 20; seed++) {
      DiscreteProgram program = Programs.random(seed, 9, seed % 2 == 0);
      Random random = new Random(seed);
      List<int[]> inputs = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        inputs.add(Programs.input(random, 9, 7));
      }
      ToIntFunction<DiscreteProgram> right =
          some -> {
            int same = 0;
            for (int[] input : inputs) {
              int[] a = some.run(input);
              int[] b = program.run(input);
              for (int i = 0; i < a.length; i++) {
                same += a[i] == b[i] ? 1 : 0;
              }
            }
            return same;
          };
      DiscreteProgram shorter = new Shortening(inputs, right).of(program);
      assertEquals(right.applyAsInt(program), right.applyAsInt(shorter));
      assertTrue(shorter.steps().size() <= program.steps().size());
    }
  }
}
