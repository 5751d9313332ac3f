package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.computed;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.ffn.Mlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.PrimerAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.studies.trial.TrainingResult.Point;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;

/**
 * Primer (arXiv 2109.08668): how many updates and seconds a GPT with squared ReLU, with
 * convolutions on queries, keys and values, and with both needs to reach the final loss of the
 * plain one. All have the same settings, which were chosen for the plain one.
 */
@AutoService(Study.class)
public final class PrimerStudy implements Study {
  private static final String PLAIN = "GPT";
  private static final String SQUARED = "squared ReLU";
  private static final String CONVOLVED = "multi-DConv-head attention";
  private static final String PRIMER = "both (Primer-EZ)";

  private record Parts(TokenMixer.Config mixer, Activation activation) {}

  @Override
  public void run(ExperimentContext lab) {
    int heads = lab.pick(2, 4, 8);
    TokenMixer.Config attention = new SoftmaxAttention.Config(heads, 0);
    TokenMixer.Config convolved = new PrimerAttention.Config(heads, 0);
    Measured<TrainingResult> runs =
        Arms.ofControl(PLAIN, new Parts(attention, Activation.GELU))
            .arm(SQUARED, new Parts(attention, Activation.SQUARED_RELU))
            .arm(CONVOLVED, new Parts(convolved, Activation.GELU))
            .arm(PRIMER, new Parts(convolved, Activation.SQUARED_RELU))
            .learn(lab, "", lab.pick(1, 3, 3), parts -> trial(lab, parts));
    claim(lab, runs, SQUARED, "Squared ReLU");
    claim(lab, runs, CONVOLVED, "Multi-DConv-head attention");
    claim(lab, runs, PRIMER, "Primer-EZ, with both changes,");
    lab.table(
        runs.table(
            "Until the plain GPT's final loss, as shares of its steps and seconds",
            "model",
            column("loss, nats/byte", TrainingResult::finalLoss),
            fixed("tokens/s", TrainingResult::unitsPerSecond),
            fixed("weights", TrainingResult::parameters),
            computed("steps", arm -> steps(runs, arm.name())),
            computed("seconds", arm -> seconds(runs, arm.name()))));
    lab.figure(TrainingResult.figure(runs, "Held-out loss by step", "loss, nats/byte"));
    lab.figure(
        runs.figure(
            "Held-out loss by time",
            "seconds",
            "loss, nats/byte",
            Curve.line(TrainingResult::validation, Point::seconds, Point::loss)));
    lab.note(
        "The share of a seed is where its loss curve first meets the final loss of the plain GPT of"
            + " the same seed, over where that one's own curve first does, interpolated between"
            + " evaluations; the table gives the mean. All"
            + " learning rates follow the same cosine, so a model that gets there early does so at"
            + " a higher rate than the plain one had at its end.");
  }

  private static void claim(
      ExperimentContext lab, Measured<TrainingResult> runs, String arm, String subject) {
    lab.claim(
        subject + " reaches the plain GPT's final loss in fewer steps and less time",
        arm.equals(PRIMER)
            ? "up to 4x less compute at 500M parameters, all of Primer (abstract)"
            : "",
        PLAIN,
        Check.all(
            Check.below("share of the steps", steps(runs, arm), 1),
            Check.below("share of the seconds", seconds(runs, arm), 1)));
  }

  /** Shares of the plain GPT's updates; NaN if one seed never reaches its final loss. */
  private static Estimate steps(Measured<TrainingResult> runs, String arm) {
    return runs.beside(
        arm,
        PLAIN,
        (run, plain) -> run.stepsTo(plain.finalLoss()) / plain.stepsTo(plain.finalLoss()));
  }

  /** Shares of the plain GPT's seconds. */
  private static Estimate seconds(Measured<TrainingResult> runs, String arm) {
    return runs.beside(
        arm,
        PLAIN,
        (run, plain) -> run.secondsTo(plain.finalLoss()) / plain.secondsTo(plain.finalLoss()));
  }

  private static Trial<TrainingResult> trial(ExperimentContext lab, Parts parts) {
    int steps = lab.pick(4, 540, 50_000);
    CausalLm.Config model =
        new CausalLm.Config()
            .with(c -> c.vocab(256).length(lab.pick(16, 128, 1024)).tied(true))
            .withStack(s -> s.layers(lab.pick(1, 3, 12)).width(lab.pick(16, 96, 768)))
            .withBlock(b -> b.mixer(parts.mixer()).ffn(new Mlp.Config(parts.activation(), 4, 0)))
            .withBlock(b -> b.bias(false).dropout(0));
    TrainingConfig training =
        Small.training(steps, lab.pick(4, 16, 32), 1)
            .withLearningRate(lab.pick(1e-3, 2e-3, 6e-4))
            .withSchedule(new Schedule(Schedule.Shape.COSINE, Math.max(1, steps / 20), 0.1))
            .withEvaluateEvery(Math.max(1, steps / 18))
            .withCheckpointEvery(Math.max(1, steps / 6));
    return new LanguageTrial(model, training, lab.pick(2, 20, 100));
  }
}
