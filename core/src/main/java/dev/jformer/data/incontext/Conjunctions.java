package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Conjunctions, such as "x2 and not x5", as in <a
 * href="https://arxiv.org/abs/2310.03016">Understanding In-Context Learning in Transformers and
 * LLMs by Learning to Learn Discrete Functions</a>. Inputs are uniform; as random ones are hardly
 * ever positive, a share of the examples is made so.
 *
 * <p>With {@code monotone}, no literal is negated; with {@code teaching}, a prompt of such begins
 * with a teaching sequence of one more example than there are literals, which only one conjunction
 * fits.
 *
 * @param inputs n
 * @param literals the probability that an input matters, negated or not
 * @param relevant the number of inputs that matter; 0 to draw it by {@code literals}
 * @param forced the share of examples that are made positive
 * @param monotone whether no input is negated
 * @param teaching whether prompts begin with a teaching sequence
 */
@AutoService(FunctionClass.class)
public record Conjunctions(
    int inputs, double literals, int relevant, double forced, boolean monotone, boolean teaching)
    implements FunctionClass {
  /** Defaults: 10 inputs, of which three in ten matter; three in ten examples are made positive. */
  public Conjunctions() {
    this(10, 0.3, 0, 0.3, false, false);
  }

  /** Checks the values. */
  public Conjunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.share("literals", literals);
    Checks.between("relevant", relevant, 0, inputs);
    Checks.share("forced", forced);
    Checks.check(monotone || !teaching, "teaching", teaching, "false unless monotone is true");
  }

  @Override
  public String type() {
    return "conjunction";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    Literals all =
        relevant > 0
            ? Literals.withCount(inputs, relevant, monotone, random)
            : Literals.withProbability(inputs, literals, monotone, random);
    for (int t = 0; t < prompts.length(); t++) {
      double[] x;
      if (teaching && t <= all.count()) {
        x = all.teaching(t);
      } else {
        x = Draws.signs(inputs, random);
        if (random.nextDouble() < forced) {
          all.force(x);
        }
      }
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, all.hold(x) ? 1 : -1);
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(new EliminationLearner(), new NeighboursLearner(1), new FrequentLabelLearner());
  }
}
