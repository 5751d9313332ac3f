package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Linear functions y = w·x with w and x from N(0, I), as in <a
 * href="https://arxiv.org/abs/2208.01066">What Can Transformers Learn In-Context?</a>
 *
 * @param inputs n
 */
@AutoService(FunctionClass.class)
public record LinearFunctions(int inputs) implements FunctionClass {
  /** Default: 5 inputs. */
  public LinearFunctions() {
    this(5);
  }

  /** Checks the values. */
  public LinearFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
  }

  @Override
  public String type() {
    return "linear";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[] w = Draws.normal(inputs, random);
    for (int t = 0; t < prompts.length(); t++) {
      double[] x = Draws.normal(inputs, random);
      prompts.setInput(row, t, x);
      prompts.setOutput(row, t, Draws.dot(w, prompts.input(row, t)));
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        new LeastSquaresLearner(),
        new NeighboursLearner(3),
        new AveragingLearner(),
        new ConstantLearner());
  }
}
