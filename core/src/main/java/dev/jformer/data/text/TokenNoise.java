package dev.jformer.data.text;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Random tokens in place of some of a text's: label noise to train with, or corrupted inputs to
 * test robustness with.
 *
 * @param inputs share of the input tokens that are replaced
 * @param targets share of the targets that are replaced
 * @param vocab the tokens are drawn from 0 to {@code vocab} - 1, all equally likely
 */
public record TokenNoise(double inputs, double targets, int vocab) {
  /** Checks the values. */
  public TokenNoise {
    checkShare("inputs", inputs);
    checkShare("targets", targets);
    Checks.atLeast("vocab", vocab, 1);
  }

  private static void checkShare(String name, double share) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException(
          name + " is " + share + ": expected the share of tokens to replace, in [0, 1]");
    }
  }

  /** Returns a batch with this noise; the batch itself is not changed. */
  public Batch in(Batch batch, SplittableRandom random) {
    Tensor read = replaced(batch.inputs(), inputs, random);
    return new Batch(read, replaced(batch.targets(), targets, random));
  }

  private Tensor replaced(Tensor tokens, double share, SplittableRandom random) {
    if (share == 0) {
      return tokens;
    }
    long[] values = tokens.toLongs();
    for (int i = 0; i < values.length; i++) {
      if (random.nextDouble() < share) {
        values[i] = random.nextInt(vocab);
      }
    }
    return Tensor.of(values, tokens.shape().toArray());
  }
}
