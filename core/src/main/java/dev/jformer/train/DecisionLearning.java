package dev.jformer.train;

import dev.jformer.data.DataException;
import dev.jformer.data.decision.DecisionProblem;
import dev.jformer.data.decision.InteractionSource;
import dev.jformer.data.decision.Interactions;
import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.DecisionModel;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;

/**
 * The task of predicting an expert's actions in interactions of a policy (<a
 * href="https://arxiv.org/abs/2310.08566">Transformers as Decision Makers: Provable In-Context
 * Reinforcement Learning via Supervised Pretraining</a>). The loss is the mean cross-entropy of all
 * steps.
 */
public final class DecisionLearning implements Task {
  private static final int ROWS = 64;

  private final DecisionModel model;
  private final InteractionSource<?> source;
  private final Interactions heldOut;

  /**
   * Creates a task.
   *
   * @param heldOut number of interactions to evaluate on
   * @throws DataException if the model does not fit the problem
   */
  public DecisionLearning(DecisionModel model, InteractionSource<?> source, int heldOut) {
    this.model = model;
    this.source = source;
    checkFits(model, source.problem());
    this.heldOut = source.heldOut(heldOut);
  }

  /**
   * Checks that a model can act in a problem's environments.
   *
   * @throws DataException if it cannot
   */
  static void checkFits(DecisionModel model, DecisionProblem<?> problem) {
    DecisionModel.Config config = model.config();
    if (config.observations() != problem.observations()
        || config.actions() != problem.actions()
        || config.descriptions() != problem.descriptions()) {
      throw new DataException(
          String.format(
              "%s has %d actions that %d numbers describe, and observations of %d numbers, but the"
                  + " model has %d actions that %d numbers describe, and reads %d numbers",
              problem.type(),
              problem.actions(),
              problem.descriptions(),
              problem.observations(),
              config.actions(),
              config.descriptions(),
              config.observations()));
    }
    if (problem.steps() > model.longest()) {
      throw new DataException(
          "interactions have "
              + problem.steps()
              + " steps, but the model reads "
              + model.longest()
              + ": raise model.steps, or make interactions shorter");
    }
  }

  private Tensor logits(Interactions some, int first, int rows) {
    int from = first * some.steps();
    int to = from + rows * some.steps();
    int size = source.problem().observations();
    int known = source.problem().descriptions() + 1;
    return model.logits(
        Tensor.of(
            Arrays.copyOfRange(some.observations(), from * size, to * size),
            rows,
            some.steps(),
            size),
        Tensor.of(Arrays.copyOfRange(some.actions(), from, to), rows, some.steps()),
        Tensor.of(
            Arrays.copyOfRange(some.outcomes(), from * known, to * known),
            rows,
            some.steps(),
            known));
  }

  private static Tensor labels(Interactions some, int first, int rows) {
    int from = first * some.steps();
    return Tensor.of(
        Arrays.copyOfRange(some.labels(), from, from + rows * some.steps()),
        (long) rows * some.steps());
  }

  @Override
  public Tensor loss(long index) {
    Interactions some = source.training(index);
    Tensor logits = logits(some, 0, some.count()).flatten(0, 1);
    return Functional.crossEntropy(logits, labels(some, 0, some.count()), -1, 0);
  }

  @Override
  public long unitsPerBatch() {
    return (long) source.batch() * source.problem().steps();
  }

  @Override
  public String unit() {
    return "actions";
  }

  @Override
  public Metrics evaluate() {
    double loss = 0;
    double right = 0;
    for (int first = 0; first < heldOut.count(); first += ROWS) {
      int rows = Math.min(ROWS, heldOut.count() - first);
      try (Scope scope = Scope.open()) {
        Tensor logits = logits(heldOut, first, rows).flatten(0, 1);
        Tensor labels = labels(heldOut, first, rows);
        loss += Functional.crossEntropy(logits, labels, -1, 0).item() * rows;
        right += logits.argmax(1).eq(labels).to(DType.FLOAT64).mean().item() * rows;
      }
    }
    return Metrics.ofLoss(loss / heldOut.count(), "nats")
        .with(Metric.higher(Metric.ACCURACY, right / heldOut.count(), ""));
  }
}
