package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Linear functions of a few of the inputs, as in <a href="https://arxiv.org/abs/2208.01066">What
 * Can Transformers Learn In-Context?</a> Weights and inputs are from N(0, I).
 *
 * @param inputs n
 * @param nonzero number of inputs that count
 */
@AutoService(FunctionClass.class)
public record SparseLinearFunctions(int inputs, int nonzero) implements FunctionClass {
  /** Defaults: 2 of 10 inputs. */
  public SparseLinearFunctions() {
    this(10, 2);
  }

  /** Checks the values. */
  public SparseLinearFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("nonzero", nonzero, 1, inputs);
  }

  @Override
  public String type() {
    return "sparse-linear";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[] w = new double[inputs];
    for (int i : Draws.subset(inputs, nonzero, random)) {
      w[i] = random.nextGaussian();
    }
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setInput(row, t, Draws.normal(inputs, random));
      prompts.setOutput(row, t, Draws.dot(w, prompts.input(row, t)));
    }
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        new LassoLearner(0.01),
        new LeastSquaresLearner(),
        new NeighboursLearner(3),
        new ConstantLearner());
  }
}
