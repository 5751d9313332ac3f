package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The majority of a random subset of the inputs, of odd size, as in <a
 * href="https://arxiv.org/abs/2310.03016">Understanding In-Context Learning in Transformers and
 * LLMs by Learning to Learn Discrete Functions</a>.
 *
 * @param inputs n
 * @param share the share of inputs that vote
 */
@AutoService(FunctionClass.class)
public record Majorities(int inputs, double share) implements FunctionClass {
  /** Defaults: three in ten of 10 inputs. */
  public Majorities() {
    this(10, 0.3);
  }

  /** Checks the values. */
  public Majorities {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.share("share", share);
  }

  @Override
  public String type() {
    return "majority";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  /** The size of the subset: odd, so that no vote is tied. */
  int voters() {
    int count = (int) Math.max(1, Math.round(share * inputs));
    return count % 2 == 1 ? count : count - 1;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    int[] voters = Draws.subset(inputs, voters(), random);
    for (int t = 0; t < prompts.length(); t++) {
      double[] x = Draws.signs(inputs, random);
      double sum = 0;
      for (int i : voters) {
        sum += x[i];
      }
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, Math.signum(sum));
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(new PerceptronLearner(), new NeighboursLearner(1), new FrequentLabelLearner());
  }
}
