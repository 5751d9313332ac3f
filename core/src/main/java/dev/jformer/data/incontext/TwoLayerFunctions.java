package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Random networks with one hidden layer, y = √(2/h) Σ a_i relu(w_i·x), as in <a
 * href="https://arxiv.org/abs/2208.01066">What Can Transformers Learn In-Context?</a> Weights and
 * inputs are from N(0, 1).
 *
 * @param inputs n
 * @param hidden h, the number of hidden units
 */
@AutoService(FunctionClass.class)
public record TwoLayerFunctions(int inputs, int hidden) implements FunctionClass {
  /** Defaults: 5 inputs, 20 hidden units. */
  public TwoLayerFunctions() {
    this(5, 20);
  }

  /** Checks the values. */
  public TwoLayerFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("hidden", hidden, 1, 100_000);
  }

  @Override
  public String type() {
    return "two-layer";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[][] w = new double[hidden][];
    for (int i = 0; i < hidden; i++) {
      w[i] = Draws.normal(inputs, random);
    }
    double[] a = Draws.normal(hidden, random);
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setInput(row, t, Draws.normal(inputs, random));
      double[] x = prompts.input(row, t);
      double sum = 0;
      for (int i = 0; i < hidden; i++) {
        sum += a[i] * Math.max(0, Draws.dot(w[i], x));
      }
      prompts.setOutput(row, t, Math.sqrt(2.0 / hidden) * sum);
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        new LeastSquaresLearner(),
        new RidgeLearner(inputs),
        new NeighboursLearner(3),
        new ConstantLearner());
  }
}
