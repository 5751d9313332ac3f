package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Integer threshold functions, sign(w·x - 1/2) with whole weights, as in <a
 * href="https://arxiv.org/abs/2310.03016">Understanding In-Context Learning in Transformers and
 * LLMs by Learning to Learn Discrete Functions</a>.
 *
 * @param inputs n
 * @param bound weights are uniform from -bound to bound
 */
@AutoService(FunctionClass.class)
public record Thresholds(int inputs, int bound) implements FunctionClass {
  /** Defaults: 10 inputs, weights from -3 to 3. */
  public Thresholds() {
    this(10, 3);
  }

  /** Checks the values. */
  public Thresholds {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("bound", bound, 1, 1_000_000);
  }

  @Override
  public String type() {
    return "threshold";
  }

  @Override
  public boolean isBoolean() {
    return true;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[] w = new double[inputs];
    for (int i = 0; i < inputs; i++) {
      w[i] = random.nextInt(2 * bound + 1) - bound;
    }
    for (int t = 0; t < prompts.length(); t++) {
      double[] x = Draws.signs(inputs, random);
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, Math.signum(Draws.dot(w, x) - 0.5));
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(new PerceptronLearner(), new NeighboursLearner(1), new FrequentLabelLearner());
  }
}
