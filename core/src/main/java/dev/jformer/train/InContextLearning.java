package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.incontext.FunctionClass;
import dev.jformer.data.incontext.PromptSource;
import dev.jformer.data.incontext.Prompts;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.InContextModel;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * The task of training a model to learn functions in context: the loss is the mean over all
 * examples of the prompts, and over the iterations that are learned if the model is a loop.
 */
public final class InContextLearning implements Task {
  private static final int ROWS = 64;

  private final InContextModel model;
  private final PromptSource source;
  private final Prompts heldOut;

  /**
   * Creates a task.
   *
   * @param heldOut number of prompts to evaluate on
   * @throws DataException if the model does not fit the prompts
   */
  public InContextLearning(InContextModel model, PromptSource source, int heldOut) {
    this.model = model;
    this.source = source;
    checkFits(model, source.functions(), source.length());
    this.heldOut = source.heldOut(heldOut);
  }

  private static void checkFits(InContextModel model, FunctionClass functions, int length) {
    if (functions.inputs() != model.config().inputs()) {
      throw new DataException(
          "functions have "
              + functions.inputs()
              + " inputs, but the model reads "
              + model.config().inputs());
    }
    if (length > model.longest()) {
      throw new DataException(
          "prompts have "
              + length
              + " examples, but the model reads "
              + model.longest()
              + ": raise model.length, or set data.examples lower");
    }
    boolean sign = model.config().prediction() == InContextModel.Prediction.SIGN;
    if (sign != functions.isBoolean()) {
      throw new DataException(
          "the outputs of "
              + functions.type()
              + " are "
              + (functions.isBoolean() ? "-1 or 1" : "any numbers")
              + ", but the model predicts "
              + model.config().prediction());
    }
  }

  @Override
  public Tensor loss(long index) {
    Prompts prompts = source.training(index);
    Tensor y = outputs(prompts, 0, prompts.count());
    List<Tensor> all = model.predictions(inputs(prompts, 0, prompts.count()), y);
    Tensor sum = model.config().prediction().loss(all.get(0), y).mean();
    for (Tensor predicted : all.subList(1, all.size())) {
      sum = sum.add(model.config().prediction().loss(predicted, y).mean());
    }
    return all.size() == 1 ? sum : sum.mul(1.0 / all.size());
  }

  private Tensor losses(Prompts prompts, int first, int rows) {
    Tensor y = outputs(prompts, first, rows);
    Tensor predicted = model.predict(inputs(prompts, first, rows), y);
    return model.config().prediction().loss(predicted, y);
  }

  /** Some rows of the inputs of prompts: [rows, T, n]. */
  static Tensor inputs(Prompts prompts, int first, int rows) {
    float[] some =
        Arrays.copyOfRange(prompts.x(), prompts.place(first, 0), end(prompts, first, rows));
    return Tensor.of(some, rows, prompts.length(), prompts.inputs());
  }

  private static int end(Prompts prompts, int first, int rows) {
    return prompts.place(first, 0) + rows * prompts.length() * prompts.inputs();
  }

  /** Some rows of the outputs of prompts: [rows, T]. */
  static Tensor outputs(Prompts prompts, int first, int rows) {
    int from = first * prompts.length();
    float[] some = Arrays.copyOfRange(prompts.y(), from, from + rows * prompts.length());
    return Tensor.of(some, rows, prompts.length());
  }

  @Override
  public long unitsPerBatch() {
    return (long) source.batch() * source.length();
  }

  @Override
  public String unit() {
    return "examples";
  }

  /** The prompts that are evaluated on. */
  public Prompts heldOut() {
    return heldOut;
  }

  /** The unit of the loss. */
  private String lossUnit() {
    return switch (model.config().prediction()) {
      case VALUE -> "squared error";
      case GAUSSIAN -> "nats, but for a constant";
      case SIGN -> "nats";
    };
  }

  @Override
  public Metrics evaluate() {
    double loss = 0;
    for (int first = 0; first < heldOut.count(); first += ROWS) {
      int rows = Math.min(ROWS, heldOut.count() - first);
      try (Scope scope = Scope.open()) {
        loss += losses(heldOut, first, rows).to(DType.FLOAT64).sum().item();
      }
    }
    Metrics metrics = Metrics.ofLoss(loss / heldOut.y().length, lossUnit());
    ErrorCurve curve = ErrorCurve.of(model, heldOut, source.functions().isBoolean());
    double error = curve.mean(source.functions().firstKnown());
    return metrics.with(
        source.functions().isBoolean()
            ? Metric.higher(Metric.ACCURACY, 1 - error, "")
            : Metric.lower("squared error", error, ""));
  }
}
