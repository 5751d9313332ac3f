package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Functions of the last w inputs of a sequence, as in <a
 * href="https://arxiv.org/abs/2312.12655">Can Transformers Learn Sequential Function Classes In
 * Context?</a>: y_t = (1/√w) Σ_k a_k·x_{t-k}, or its hyperbolic tangent. Weights and inputs are
 * from N(0, I); before the first example all inputs are zero. A share of the outputs is replaced by
 * outputs of other functions, which say nothing; all else is the same with any share.
 *
 * @param inputs n, of each example
 * @param window w, how many examples an output depends on
 * @param tanh whether the sum goes through a hyperbolic tangent
 * @param randomLabels the share of outputs that are replaced
 */
@AutoService(FunctionClass.class)
public record SlidingWindowFunctions(int inputs, int window, boolean tanh, double randomLabels)
    implements FunctionClass {
  /** Defaults: 4 inputs, a window of 3, linear, no random outputs. */
  public SlidingWindowFunctions() {
    this(4, 3, false, 0);
  }

  /** Checks the values. */
  public SlidingWindowFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("window", window, 1, Draws.MOST_INPUTS);
    Checks.check(
        randomLabels >= 0 && randomLabels <= 1,
        "randomLabels",
        randomLabels,
        "a share from 0 to 1");
  }

  @Override
  public String type() {
    return "sliding-window";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    if (prompts.length() < window) {
      throw new IllegalArgumentException(
          "prompts have "
              + prompts.length()
              + " examples, but an output depends on "
              + window
              + ": expected at least as many (raise data.examples, or make the window smaller)");
    }
    SplittableRandom replacing = random.split();
    double[][] a = new double[window][];
    for (int k = 0; k < window; k++) {
      a[k] = Draws.normal(inputs, random);
    }
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setInput(row, t, Draws.normal(inputs, random));
      double sum = 0;
      for (int k = 0; k < window && k <= t; k++) {
        sum += Draws.dot(a[k], prompts.input(row, t - k));
      }
      prompts.setOutput(row, t, output(sum));
      double[] weights = Draws.normal(inputs * Math.min(window, t + 1), replacing);
      double[] other = Draws.normal(weights.length, replacing);
      if (replacing.nextDouble() < randomLabels) {
        prompts.setOutput(row, t, output(Draws.dot(weights, other)));
      }
    }
  }

  private double output(double sum) {
    double scaled = sum / Math.sqrt(window);
    return tanh ? Math.tanh(scaled) : scaled;
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        new WindowLearner(new LeastSquaresLearner(), window),
        new WindowLearner(new RidgeLearner(1), window),
        new LeastSquaresLearner(),
        new NeighboursLearner(3),
        new LastOutputLearner(),
        new ConstantLearner());
  }
}
