package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Linear functions with noise, y = w·x + σ ε, whose deviation σ is drawn for each prompt, as in <a
 * href="https://arxiv.org/abs/2405.15115">Towards Better Understanding of In-Context Learning
 * Ability from In-Context Uncertainty Quantification</a>: a model that reads such prompts can learn
 * how sure it may be. Weights, inputs and ε are from N(0, I), σ is uniform.
 *
 * @param inputs n
 * @param least the smallest σ
 * @param most the largest σ
 */
@AutoService(FunctionClass.class)
public record NoisyLinearFunctions(int inputs, double least, double most) implements FunctionClass {
  private static final int GRID = 30;

  /** Defaults: 4 inputs, σ from 0.1 to 2. */
  public NoisyLinearFunctions() {
    this(4, 0.1, 2);
  }

  /** Checks the values. */
  public NoisyLinearFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.moreThan("least", least, 0);
    Checks.atLeast("most", most, least);
  }

  @Override
  public String type() {
    return "noisy-linear";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[] w = Draws.normal(inputs, random);
    double deviation = least + (most - least) * random.nextDouble();
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setInput(row, t, Draws.normal(inputs, random));
      double noise = deviation * random.nextGaussian();
      prompts.setOutput(row, t, Draws.dot(w, prompts.input(row, t)) + noise);
    }
  }

  /** The predictor that knows how prompts are drawn, but for a grid over σ. */
  public Learner bayes() {
    return new NoiseGridLearner(least, most, GRID);
  }

  @Override
  public List<Learner> learners() {
    double mean = (least + most) / 2;
    return List.of(
        bayes(), new RidgeLearner(mean * mean), new LeastSquaresLearner(), new ConstantLearner());
  }
}
