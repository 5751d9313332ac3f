package dev.jformer.studies.trial;

import dev.jformer.data.algorithm.Example;
import dev.jformer.data.algorithm.ListOps;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Batches of {@link ListOps} for models that label tokens: a first token stands for the result.
 *
 * @param length maximum number of tokens, the first one included
 * @param depth maximum nesting of lists
 * @param operands maximum number of operands of a list, at least 2
 */
public record ListBatches(int length, int depth, int operands) {
  /** The number of different results. */
  public static final int LABELS = 10;

  /** The number of tokens: digits, operations, the end of a list, the result's place, padding. */
  public static final int VOCAB = 17;

  private static final long RESULT = 15;
  private static final long PADDING = 16;

  /** Checks the values. */
  public ListBatches {
    if (depth < 1 || operands < 2 || length < 3 + operands) {
      throw new IllegalArgumentException(
          "length is "
              + length
              + ", depth "
              + depth
              + " and operands "
              + operands
              + ": expected a depth of at least 1, at least 2 operands, and a length of at least 3"
              + " + operands");
    }
  }

  /**
   * Draws a batch of problems. The first token of a row stands for the result, and is the only one
   * with a target.
   *
   * @param seed of the random numbers
   */
  public TokenLabelling.Batch batch(int size, long seed) {
    ListOps problem = new ListOps(0, length - 1, depth, operands);
    List<String> symbols = problem.tokens();
    SplittableRandom random = new SplittableRandom(seed);
    long[] ids = new long[size * length];
    long[] targets = new long[size * length];
    Arrays.fill(ids, PADDING);
    Arrays.fill(targets, -1);
    for (int row = 0; row < size; row++) {
      Example example = problem.draw(random);
      int at = row * length;
      ids[at] = RESULT;
      targets[at] = Long.parseLong(example.answer().get(0));
      for (String symbol : example.prompt()) {
        at++;
        ids[at] = symbols.indexOf(symbol);
      }
    }
    Tensor tokens = Tensor.of(ids, size, length);
    return new TokenLabelling.Batch(
        tokens,
        tokens.eq(Tensor.of(new long[] {PADDING}, 1)).not(),
        Tensor.of(targets, size, length));
  }
}
