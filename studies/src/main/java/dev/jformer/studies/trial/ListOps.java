package dev.jformer.studies.trial;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * The ListOps task: classify a nested list expression by its result, for example {@code [MAX 2 9
 * [MIN 4 7] 0]} by 9. Operands and results are digits; the operations are minimum, maximum, median
 * (rounded down) and sum modulo 10. It needs dependencies over long distances. Papers: <a
 * href="https://arxiv.org/abs/1804.06028">ListOps: A Diagnostic Dataset for Latent Tree
 * Learning</a>; with these four operations in <a href="https://arxiv.org/abs/2011.04006">Long Range
 * Arena</a>.
 *
 * @param length maximum number of tokens, with the first one, which stands for the result
 * @param depth maximum nesting of lists
 * @param operands maximum number of operands of a list, at least 2
 */
public record ListOps(int length, int depth, int operands) {
  /** The number of different results. */
  public static final int LABELS = 10;

  /** The number of tokens: digits, operations, the end of a list, the result's place, padding. */
  public static final int VOCAB = 17;

  private static final long END = 14;
  private static final long RESULT = 15;
  private static final long PADDING = 16;

  /** The share of operands that are lists, where the depth allows it. */
  private static final double NESTED = 0.4;

  private enum Operation {
    MIN(10),
    MAX(11),
    MEDIAN(12),
    SUM(13);

    private final long token;

    Operation(long token) {
      this.token = token;
    }

    int of(int[] operands) {
      int[] sorted = operands.clone();
      Arrays.sort(sorted);
      int n = sorted.length;
      return switch (this) {
        case MIN -> sorted[0];
        case MAX -> sorted[n - 1];
        case MEDIAN -> (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
        case SUM -> Arrays.stream(sorted).sum() % LABELS;
      };
    }
  }

  /** Checks the values. */
  public ListOps {
    if (depth < 1 || operands < 2 || length < 3 + operands) {
      throw new IllegalArgumentException(
          "length is "
              + length
              + ", depth "
              + depth
              + " and operands "
              + operands
              + ": expected a depth of at least 1, at least 2 operands, and a length of at least 3 + operands");
    }
  }

  /**
   * Draws a batch of problems. The first token of a row stands for the result, and is the only one
   * with a target.
   *
   * @param seed of the random numbers
   */
  public TokenLabelling.Batch batch(int size, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    long[] ids = new long[size * length];
    long[] targets = new long[size * length];
    Arrays.fill(ids, PADDING);
    Arrays.fill(targets, -1);
    for (int row = 0; row < size; row++) {
      Writer writer = new Writer(random);
      int result = writer.list(depth, length - 1);
      ids[row * length] = RESULT;
      System.arraycopy(writer.tokens, 0, ids, row * length + 1, writer.count);
      targets[row * length] = result;
    }
    Tensor tokens = Tensor.of(ids, size, length);
    return new TokenLabelling.Batch(
        tokens,
        tokens.eq(Tensor.of(new long[] {PADDING}, 1)).not(),
        Tensor.of(targets, size, length));
  }

  private final class Writer {
    private final SplittableRandom random;
    private final long[] tokens = new long[length];
    private int count;

    Writer(SplittableRandom random) {
      this.random = random;
    }

    /** Writes a list of at most {@code room} tokens, and returns its result. */
    int list(int deep, int room) {
      Operation[] operations = Operation.values();
      Operation operation = operations[random.nextInt(operations.length)];
      int limit = count + room;
      tokens[count++] = operation.token;
      int[] values = new int[random.nextInt(2, operands + 1)];
      for (int i = 0; i < values.length; i++) {
        // Room for this operand, if each later one is a digit and the end follows.
        int left = limit - count - (values.length - 1 - i) - 1;
        if (deep > 1 && left >= 2 + operands && random.nextDouble() < NESTED) {
          values[i] = list(deep - 1, left);
        } else {
          values[i] = random.nextInt(LABELS);
          tokens[count++] = (long) values[i];
        }
      }
      tokens[count++] = END;
      return operation.of(values);
    }
  }
}
