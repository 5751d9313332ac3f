package dev.jformer.studies.trial;

import dev.jformer.compress.Growth;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A trial that trains a language model in stages; between two stages the model doubles its
 * parameter tokens ({@link Growth}). With one stage it is a usual training whose compute is
 * counted.
 *
 * @param model configuration of the first stage's model
 * @param stages number of updates in each stage, each with a warm-up and a cosine of its own
 * @param batch sequences of a batch
 * @param evaluationBatches maximum number of held-out batches in an evaluation
 */
public record GrowthTrial(
    CausalLm.Config model, List<Integer> stages, int batch, int evaluationBatches)
    implements Trial<GrowthTrial.Outcome> {
  /**
   * The result of training a model in stages.
   *
   * @param losses on held-out text, nats a token
   * @param compute operations of matrix products until each loss, forward and backward, 1e12
   * @param changes the largest difference of a logit that each growth made
   * @param parameters number of weights in the end
   */
  public record Outcome(
      List<Double> losses, List<Double> compute, List<Double> changes, long parameters) {
    /** The loss in the end. */
    public double last() {
      return losses.get(losses.size() - 1);
    }

    /** The operations of the whole training. */
    public double spent() {
      return compute.get(compute.size() - 1);
    }

    /** The operations until the loss first was at most this; NaN if it never was. */
    public double until(double loss) {
      return IntStream.range(0, losses.size())
          .filter(i -> losses.get(i) <= loss)
          .mapToDouble(compute::get)
          .findFirst()
          .orElse(Double.NaN);
    }
  }

  /** Returns a trial of a model that does not grow, with as many updates as a budget allows. */
  public GrowthTrial within(CausalLm.Config config, double budget) {
    try (CausalLm built = config.build()) {
      int steps = Math.max(1, (int) Math.floor(budget / operations(built)));
      return new GrowthTrial(config, List.of(steps), batch, evaluationBatches);
    }
  }

  @Override
  public Class<Outcome> kind() {
    return Outcome.class;
  }

  @Override
  public Outcome run(Session session) {
    List<Double> losses = new ArrayList<>();
    List<Double> compute = new ArrayList<>();
    List<Double> changes = new ArrayList<>();
    double spent = 0;
    Random.seed(session.seed());
    CausalLm current = model.build();
    try {
      for (int stage = 0; stage < stages.size(); stage++) {
        if (stage > 0) {
          CausalLm larger = (CausalLm) Growth.grow(current, 2);
          changes.add(difference(current, larger));
          current.close();
          current = larger;
        }
        double each = operations(current);
        TrainingConfig training =
            Small.training(stages.get(stage), batch, session.seed() + 100L * stage);
        List<Double> own = train(current, training, stage, session);
        for (int i = 1; i <= own.size(); i++) {
          losses.add(own.get(i - 1));
          compute.add(spent + each * Math.min(training.steps(), i * training.evaluateEvery()));
        }
        spent += each * training.steps();
      }
      return new Outcome(losses, compute, changes, current.parameterCount());
    } finally {
      current.close();
    }
  }

  private List<Double> train(
      CausalLm current, TrainingConfig training, int stage, Session session) {
    return TrainingCurve.of(
            current,
            new LanguageModelling(
                current, session.text(), batch, training.seed(), evaluationBatches),
            training,
            done -> session.progress().at((stage + done) / stages.size(), ""))
        .losses();
  }

  private static double difference(CausalLm a, CausalLm b) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.randint(0, 256, 4, a.config().length());
      return a.logits(ids).sub(b.logits(ids)).abs().max().item();
    }
  }

  /** Operations of an update, 1e12. */
  private double operations(CausalLm current) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor ids = Tensor.zeros(DType.INT64, 1, current.config().length());
      return 3e-12 * batch * Flops.of(() -> current.logits(ids));
    }
  }
}
