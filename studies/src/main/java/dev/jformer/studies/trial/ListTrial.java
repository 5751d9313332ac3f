package dev.jformer.studies.trial;

import dev.jformer.metrics.Metric;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.TokenClassifier;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.Map;

/**
 * A trial that trains a token classifier on {@link ListOps}, with new problems in every batch. The
 * metric {@code accuracy} is the accuracy on held-out problems at the end.
 *
 * @param problems the task
 * @param model of {@link ListOps#VOCAB} tokens and {@link ListOps#LABELS} classes
 * @param training configuration of the training
 * @param heldOut number of problems in an evaluation
 */
public record ListTrial(
    ListOps problems, TokenClassifier.Config model, TrainingConfig training, int heldOut)
    implements Trial<TrainingResult> {
  /** The first seed of held-out problems, far from the seeds of those to train on. */
  private static final long HELD_OUT = -1_000_000_000L;

  private static final int PART = 250;

  @Override
  public Class<TrainingResult> kind() {
    return TrainingResult.class;
  }

  @Override
  public TrainingResult run(Session session) {
    return new TaskTrial<>(
            model::build,
            training,
            (built, own) -> new Evaluating(built, own.seed()),
            (built, task) -> Map.of("accuracy", task.accuracy))
        .run(session);
  }

  private final class Evaluating implements Task {
    private final TokenClassifier classifier;
    private final long seed;
    private double accuracy;

    Evaluating(TokenClassifier classifier, long seed) {
      this.classifier = classifier;
      this.seed = seed;
    }

    @Override
    public Tensor loss(long index) {
      ListOps.Batch batch = problems.batch(training.batch(), seed * training.steps() + index);
      return classifier.loss(batch.ids(), batch.paddingMask(), batch.targets());
    }

    @Override
    public long unitsPerBatch() {
      return training.batch();
    }

    @Override
    public String unit() {
      return "lists";
    }

    @Override
    public Metrics evaluate() {
      double loss = 0;
      double right = 0;
      int parts = (heldOut + PART - 1) / PART;
      for (int part = 0; part < parts; part++) {
        try (Scope scope = Scope.open();
            Mode mode = Autograd.noGrad()) {
          ListOps.Batch batch = problems.batch(Math.min(PART, heldOut), HELD_OUT + part);
          loss += classifier.loss(batch.ids(), batch.paddingMask(), batch.targets()).item() / parts;
          Tensor best = classifier.logits(batch.ids(), batch.paddingMask()).select(1, 0).argmax(1);
          right += best.eq(batch.targets().select(1, 0)).to(DType.FLOAT64).mean().item() / parts;
        }
      }
      accuracy = right;
      return Metrics.ofLoss(loss, "nats").with(Metric.higher(Metric.ACCURACY, right, ""));
    }
  }
}
