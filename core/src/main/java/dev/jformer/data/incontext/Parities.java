package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Parities, products of k of the n inputs, as in <a
 * href="https://arxiv.org/abs/2310.03016">Understanding In-Context Learning in Transformers and
 * LLMs by Learning to Learn Discrete Functions</a>. About half of the subsets, chosen by a hash,
 * are never trained on: those are evaluated.
 *
 * @param inputs n
 * @param relevant k
 */
@AutoService(FunctionClass.class)
public record Parities(int inputs, int relevant) implements FunctionClass {
  private static final int PATIENCE = 100_000;

  /** Defaults: products of 2 of 10 inputs. */
  public Parities() {
    this(10, 2);
  }

  /** Checks the values. */
  public Parities {
    Checks.between("inputs", inputs, 1, ParityEliminationLearner.MOST_INPUTS);
    Checks.between("relevant", relevant, 1, inputs);
  }

  @Override
  public String type() {
    return "parity";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  static boolean isHeldOut(long subset) {
    return (new SplittableRandom(subset).nextLong() & 1) == 1;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    int[] chosen = subset(random, heldOut);
    for (int t = 0; t < prompts.length(); t++) {
      double[] x = Draws.signs(inputs, random);
      double product = 1;
      for (int i : chosen) {
        product *= x[i];
      }
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, product);
    }
  }

  private int[] subset(SplittableRandom random, boolean heldOut) {
    for (int i = 0; i < PATIENCE; i++) {
      int[] chosen = Draws.subset(inputs, relevant, random);
      long bits = 0;
      for (int each : chosen) {
        bits |= 1L << each;
      }
      if (isHeldOut(bits) == heldOut) {
        return chosen;
      }
    }
    throw new IllegalArgumentException(
        "there are too few products of "
            + relevant
            + " of "
            + inputs
            + " inputs to hold some out: expected more inputs");
  }

  @Override
  public List<Learner> learners() {
    Learner elimination = new ParityEliminationLearner();
    Learner control = new FrequentLabelLearner();
    return SubsetParityLearner.count(inputs, relevant) > SubsetParityLearner.MOST_SUBSETS
        ? List.of(elimination, new NeighboursLearner(1), control)
        : List.of(
            new SubsetParityLearner(relevant), elimination, new NeighboursLearner(1), control);
  }
}
