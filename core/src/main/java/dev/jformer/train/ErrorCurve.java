package dev.jformer.train;

import dev.jformer.data.incontext.Learner;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.model.InContextModel;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The error of predictions by the number of examples before them: the share of wrong signs of
 * Boolean functions, else the mean squared error.
 *
 * @param name of the model or solver
 * @param errors for 0, 1, … examples
 */
public record ErrorCurve(String name, List<Double> errors) {
  private static final int ROWS = 64;

  /** What a model is called. */
  public static final String MODEL = "model";

  /** Checks the values. */
  public ErrorCurve {
    errors = List.copyOf(errors);
  }

  /** The errors of a model, which is left in the mode in which it is. */
  public static ErrorCurve of(InContextModel model, Prompts prompts, boolean isBoolean) {
    return of(model, prompts, prompts, isBoolean);
  }

  /**
   * The errors of a model by other outputs than those it reads.
   *
   * @param truth prompts with the same inputs and the outputs to be predicted
   */
  public static ErrorCurve of(
      InContextModel model, Prompts prompts, Prompts truth, boolean isBoolean) {
    double[] sums = new double[prompts.length()];
    for (int first = 0; first < prompts.count(); first += ROWS) {
      int rows = Math.min(ROWS, prompts.count() - first);
      double[] said = said(model, prompts, first, rows);
      int numbers = model.config().prediction().numbers();
      for (int i = 0; i < said.length / numbers; i++) {
        double y = truth.y()[first * prompts.length() + i];
        sums[i % prompts.length()] += error(said[i * numbers], y, isBoolean);
      }
    }
    return mean(MODEL, sums, prompts.count());
  }

  private static double[] said(InContextModel model, Prompts prompts, int first, int rows) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor y = InContextLearning.outputs(prompts, first, rows);
      Tensor predicted = model.predict(InContextLearning.inputs(prompts, first, rows), y);
      return predicted.to(DType.FLOAT64).contiguous().toDoubles();
    }
  }

  /**
   * The mean of minus the logarithm of the density that a model gives to the outputs.
   *
   * @param model one that predicts Gaussians
   */
  public static ErrorCurve ofDensity(InContextModel model, Prompts prompts) {
    double[] sums = new double[prompts.length()];
    for (int first = 0; first < prompts.count(); first += ROWS) {
      int rows = Math.min(ROWS, prompts.count() - first);
      double[] said = said(model, prompts, first, rows);
      for (int i = 0; i < said.length / 2; i++) {
        double y = prompts.y()[first * prompts.length() + i];
        sums[i % prompts.length()] += surprise(said[2 * i], Math.exp(said[2 * i + 1]), y);
      }
    }
    return mean(MODEL, sums, prompts.count());
  }

  /** As {@link #ofDensity(InContextModel, Prompts)}, for a solver that knows its variance. */
  public static ErrorCurve ofDensity(Learner learner, Prompts prompts) {
    double[] sums = new double[prompts.length()];
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run run = learner.start(prompts.inputs());
      for (int t = 0; t < sums.length; t++) {
        double[] x = prompts.input(row, t);
        double y = prompts.output(row, t);
        sums[t] += surprise(run.predict(x), run.variance(x), y);
        run.observe(x, y);
      }
    }
    return mean(learner.name(), sums, prompts.count());
  }

  /** Minus the logarithm of a Gaussian density. */
  private static double surprise(double mean, double variance, double y) {
    return 0.5 * (Math.log(2 * Math.PI * variance) + (y - mean) * (y - mean) / variance);
  }

  /** The errors of a solver. */
  public static ErrorCurve of(Learner learner, Prompts prompts, boolean isBoolean) {
    return of(learner, prompts, prompts, isBoolean);
  }

  /** The errors of a solver by other outputs than those it reads, as those of a model. */
  public static ErrorCurve of(Learner learner, Prompts prompts, Prompts truth, boolean isBoolean) {
    double[] sums = new double[prompts.length()];
    for (int row = 0; row < prompts.count(); row++) {
      Learner.Run run = learner.start(prompts.inputs());
      for (int t = 0; t < sums.length; t++) {
        double[] x = prompts.input(row, t);
        double y = prompts.output(row, t);
        sums[t] += error(run.predict(x), truth.output(row, t), isBoolean);
        run.observe(x, y);
      }
    }
    return mean(learner.name(), sums, prompts.count());
  }

  private static double error(double predicted, double y, boolean isBoolean) {
    if (isBoolean) {
      return predicted >= 0 == y > 0 ? 0 : 1;
    }
    return (predicted - y) * (predicted - y);
  }

  private static ErrorCurve mean(String name, double[] sums, int count) {
    return new ErrorCurve(name, Arrays.stream(sums).map(sum -> sum / count).boxed().toList());
  }

  /** The mean error of predictions after at least {@code from} examples. */
  public double mean(int from) {
    return mean(from, errors.size());
  }

  /** The mean error of predictions after {@code from} to {@code to - 1} examples. */
  public double mean(int from, int to) {
    return errors.subList(from, to).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElse(Double.NaN);
  }
}
