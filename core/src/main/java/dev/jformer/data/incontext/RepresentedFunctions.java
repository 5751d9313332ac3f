package dev.jformer.data.incontext;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Linear functions of a representation, y = w·Φ(x) + noise: Φ is a random network that all prompts
 * share, √(2/h) relu(W x), and each prompt has its own w (<a
 * href="https://arxiv.org/abs/2402.13572">On the Expressive Power of a Variant of the Looped
 * Transformer</a>). Who knows Φ can solve it by least squares. Weights and inputs are from N(0, 1).
 *
 * @param inputs n
 * @param hidden h, the numbers of Φ(x)
 * @param noise standard deviation of the noise
 * @param representation the seed by which Φ is drawn
 */
@AutoService(FunctionClass.class)
public record RepresentedFunctions(int inputs, int hidden, double noise, int representation)
    implements FunctionClass {
  /** Defaults: 8 inputs, 8 numbers of Φ(x), no noise. */
  public RepresentedFunctions() {
    this(8, 8, 0, 1);
  }

  /** Checks the values. */
  public RepresentedFunctions {
    Checks.between("inputs", inputs, 1, Draws.MOST_INPUTS);
    Checks.between("hidden", hidden, 1, Draws.MOST_INPUTS);
    Checks.atLeast("noise", noise, 0.0);
    Checks.atLeast("representation", representation, 0);
  }

  @Override
  public String type() {
    return "represented";
  }

  @Override
  public boolean isBoolean() {
    return false;
  }

  /** W of Φ. */
  double[][] weights() {
    SplittableRandom random = new SplittableRandom(representation);
    double[][] weights = new double[hidden][];
    for (int i = 0; i < hidden; i++) {
      weights[i] = Draws.normal(inputs, random);
    }
    return weights;
  }

  /** Φ(x) for the weights of Φ. */
  static double[] of(double[][] weights, double[] x) {
    double[] features = Matrices.times(weights, x);
    for (int i = 0; i < features.length; i++) {
      features[i] = Math.sqrt(2.0 / features.length) * Math.max(0, features[i]);
    }
    return features;
  }

  @Override
  public void draw(Prompts prompts, int row, SplittableRandom random, boolean heldOut) {
    double[][] weights = weights();
    double[] w = Draws.normal(hidden, random);
    for (int t = 0; t < prompts.length(); t++) {
      prompts.setInput(row, t, Draws.normal(inputs, random));
      double y = Draws.dot(w, of(weights, prompts.input(row, t)));
      prompts.setOutput(row, t, y + noise * random.nextGaussian());
    }
  }

  /** Returns a solver that sees Φ(x) in place of x. */
  public Learner represented(Learner learner) {
    double[][] weights = weights();
    return new Learner() {
      @Override
      public String name() {
        return learner.name() + " on Φ(x)";
      }

      @Override
      public Run start(int ignored) {
        Run run = learner.start(hidden);
        return new Run() {
          @Override
          public double predict(double[] x) {
            return run.predict(of(weights, x));
          }

          @Override
          public void observe(double[] x, double y) {
            run.observe(of(weights, x), y);
          }
        };
      }
    };
  }

  @Override
  public List<Learner> learners() {
    return List.of(
        represented(new LeastSquaresLearner()),
        new LeastSquaresLearner(),
        new NeighboursLearner(3),
        new ConstantLearner());
  }
}
