package dev.jformer.program;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Programs for tests. */
public final class Programs {
  private Programs() {}

  /** Tokens whose names have to be quoted. */
  private static final List<String> TOKENS = List.of("<s>", "\"", "\\", "é", "0", "new\nline", "7");

  private static final List<String> LABELS = List.of("a", "b\"", "c");

  /** A random program with steps of all kinds that read earlier variables. */
  public static DiscreteProgram random(long seed, int length, boolean causal) {
    return random(
        seed,
        Math.max(TOKENS.size(), length),
        0,
        new LabelScheme(TOKENS, LABELS, length, causal, LabelKind.TOKENS));
  }

  /**
   * As above, for any tokens.
   *
   * @param lookups learned variables of tokens; with some, no other step reads the tokens
   */
  public static DiscreteProgram random(long seed, int values, int lookups, LabelScheme scheme) {
    Random random = new Random(seed);
    List<Step> steps = new ArrayList<>();
    int categorical = 2;
    int numbers = 1;
    for (int i = 0; i < lookups; i++) {
      steps.add(
          new Step.Lookup(
              "word" + (i + 1), random.ints(scheme.tokens().size(), 0, values).toArray()));
      categorical++;
    }
    int first = lookups == 0 ? 0 : 1;
    for (int i = 0; i < 12; i++) {
      int kind = i < 4 ? i : random.nextInt(4);
      int a = kind == 3 ? random.nextInt(numbers) : first + random.nextInt(categorical - first);
      int b = kind == 3 ? random.nextInt(numbers) : first + random.nextInt(categorical - first);
      int c = kind == 1 ? random.nextInt(numbers) : first + random.nextInt(categorical - first);
      String name = "step" + i;
      steps.add(
          switch (kind) {
            case 0 -> new Step.Select(name, a, b, c, codes(random, values, values));
            case 1 -> new Step.Count(name, a, b, c, codes(random, values, values));
            case 2 -> new Step.Table(name, a, b, table(random, values, values, values));
            default ->
                new Step.NumberTable(
                    name,
                    a,
                    b,
                    new int[] {0, 1, 3, 9},
                    new int[] {1, 2, 4, 5, 20},
                    table(random, 4, 5, values));
          });
      categorical += kind == 1 ? 0 : 1;
      numbers += kind == 1 ? 1 : 0;
    }
    List<String> labels = scheme.labels();
    double[][][] scores = new double[categorical][][];
    for (int v = 0; v < categorical; v++) {
      scores[v] = v == 5 || v < first ? null : scores(random, values, labels.size());
    }
    double[][] numberScores = scores(random, numbers, labels.size());
    return new DiscreteProgram(
        "Learned",
        scheme,
        values,
        steps,
        new DiscreteProgram.Scores(scores(random, 1, labels.size())[0], scores, numberScores));
  }

  private static int[] codes(Random random, int count, int bound) {
    return random.ints(count, 0, bound).toArray();
  }

  /** Rows with repetitions, as learned tables have them. */
  private static int[][] table(Random random, int rows, int columns, int bound) {
    int[][] table = new int[rows][];
    for (int i = 0; i < rows; i++) {
      table[i] =
          i > 0 && random.nextInt(3) == 0
              ? table[i - 1].clone()
              : random.ints(columns, 0, 1 + random.nextInt(bound)).toArray();
    }
    return table;
  }

  private static double[][] scores(Random random, int count, int labels) {
    return IntStream.range(0, count)
        .mapToObj(i -> random.doubles(labels, -3, 3).map(Shortening::rounded).toArray())
        .toArray(double[][]::new);
  }

  /** A random input. */
  public static int[] input(Random random, int length, int tokens) {
    return random.ints(1 + random.nextInt(length), 0, tokens).toArray();
  }
}
