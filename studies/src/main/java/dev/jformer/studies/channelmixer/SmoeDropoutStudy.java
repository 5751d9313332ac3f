package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.expert.Experts;
import dev.jformer.ffn.expert.SmoeDropoutGate;
import dev.jformer.ffn.expert.TopKGate;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * SMoE-Dropout (<a href="https://arxiv.org/abs/2303.01610">Sparse MoE as the New Dropout: Scaling
 * Dense and Self-Slimmable Transformers</a>): language models whose tokens are routed by gates that
 * never learn to more and more experts, beside such with a gate that learns. On a long text they
 * are asked with fewer and more experts; on one that can be learned by heart they stand beside
 * dense models of as many weights, with and without dropout.
 */
@AutoService(Study.class)
public final class SmoeDropoutStudy implements Study {
  private static final String SMOE = "SMoE-Dropout";
  private static final String LEARNED = "learned top-k";
  private static final String DENSE = "dense";
  private static final String DROPOUT = "dense, dropout 0.1";
  private static final int EXPERTS = 8;

  /** More of the whole way than this in one step is not smooth. */
  private static final double SMOOTH = 0.5;

  /**
   * What came of a training.
   *
   * @param result of it, with the losses on the text held out
   * @param onLearned loss of the last model on the text it learned from
   * @param byActive losses of the last model on the text held out, with 1, 2, ... experts for each
   *     token; empty for a dense model
   */
  public record Outcome(TrainingResult result, double onLearned, List<Double> byActive) {
    /** How many losses are higher than with one expert less. */
    double worse() {
      return steps().stream().filter(step -> step > 0).count();
    }

    /** The largest change by one expert, as a share of that from the first to the last. */
    double largestStep() {
      double way = Math.abs(byActive.get(EXPERTS - 1) - byActive.get(0));
      return steps().stream().mapToDouble(Math::abs).max().orElseThrow() / way;
    }

    private List<Double> steps() {
      return IntStream.range(1, EXPERTS)
          .mapToObj(k -> byActive.get(k) - byActive.get(k - 1))
          .toList();
    }
  }

  /**
   * A model to be trained.
   *
   * @param ffn its channel mixers
   * @param dropout in its blocks
   */
  private record Arm(ChannelMixer.Config ffn, double dropout) {}

  @Override
  public void run(ExperimentContext lab) {
    int width = lab.pick(16, 64, 256);
    Mlp.Config expert = new Mlp.Config(Activation.GELU, 4, width);
    Arms<Arm> smoe =
        Arms.of(
            SMOE, new Arm(new Experts.Config(expert, EXPERTS, new SmoeDropoutGate.Config()), 0));
    TopKGate.Config gate = new TopKGate.Config(EXPERTS / 2, true, 0.01);
    ChannelMixer.Config dense = new Mlp.Config(Activation.GELU, EXPERTS, 0);
    slimming(lab, smoe.control(LEARNED, new Arm(new Experts.Config(expert, EXPERTS, gate), 0)));
    overfitting(lab, smoe.control(DENSE, new Arm(dense, 0)).arm(DROPOUT, new Arm(dense, 0.1)));
    lab.note(
        "%s experts in every block, each with as many hidden units as the model is wide; dense"
            + " models have all of them in one perceptron. SMoE-Dropout begins with %s experts for"
            + " each token and ends with all; the learned gate has %s throughout.",
        EXPERTS, EXPERTS / 2, EXPERTS / 2);
  }

  private static void slimming(ExperimentContext lab, Arms<Arm> arms) {
    int steps = lab.pick(3, 500, 20_000);
    Measured<Outcome> runs =
        arms.learn(lab, "long text", seeds(lab), arm -> trial(lab, lab.text(), arm, steps, 1e-3));
    lab.claim(
        "With each more expert that runs SMoE-Dropout gets better, smoothly",
        "smooth and consistent boosts as more experts are activated (abstract)",
        LEARNED,
        Check.all(
            Check.atMost("experts that make it worse", runs.of(SMOE, Outcome::worse), 0),
            Check.atMost(
                "largest step as a share of the way",
                runs.of(SMOE, Outcome::largestStep),
                SMOOTH)));
    lab.claim(
        "Experts behind a learned gate do not get better with each more that runs",
        "learned routing lacks it (experiments)",
        Check.above("experts that make it worse", runs.of(LEARNED, Outcome::worse), 0));
    lab.table(
        runs.table(
            "Held-out loss (nats a byte) by the experts that run for each token, after "
                + steps
                + " updates on the whole text",
            "gate",
            Column.each(EXPERTS, k -> k + " active", Outcome::byActive)));
    lab.figure(
        runs.figure(
            "Held-out loss by the experts that run, first seed",
            "experts for each token",
            "nats a byte",
            Curve.at(IntStream.rangeClosed(1, EXPERTS).boxed().toList(), Outcome::byActive)));
  }

  private static void overfitting(ExperimentContext lab, Arms<Arm> arms) {
    int steps = lab.pick(3, 600, 20_000);
    int bytes = lab.pick(4000, 8000, 1_000_000);
    Measured<Outcome> runs;
    try (TokenFile excerpt = lab.text().excerpt(bytes, 4L * bytes)) {
      runs =
          arms.learn(lab, "short text", seeds(lab), arm -> trial(lab, excerpt, arm, steps, 3e-3));
    }
    Measured<TrainingResult> results = runs.map(Outcome::result);
    lab.claim(
        "SMoE-Dropout with all experts is at least as good as a dense model that overfits",
        "better than dense training with as many weights (abstract)",
        DENSE,
        results.atMost("nats a byte, in the end", SMOE, DENSE, TrainingResult::finalLoss));
    lab.claim(
        "SMoE-Dropout with all experts is at least as good as a dense model with dropout",
        "better than dense training with dropout (experiments)",
        DROPOUT,
        results.atMost("nats a byte, in the end", SMOE, DROPOUT, TrainingResult::finalLoss));
    String best = results.without(SMOE).lowest(TrainingResult::bestLoss).name();
    lab.claim(
        "SMoE-Dropout is at least as good as dropout also where each is stopped at its best",
        "(the paper does not say)",
        DENSE,
        results.atMost("nats a byte, lowest", SMOE, best, TrainingResult::bestLoss));
    lab.table(
        runs.table(
            "Language models after " + steps + " updates on " + bytes + " bytes",
            "model",
            column("held-out loss (nats a byte), in the end", run -> run.result().finalLoss()),
            column("lowest", run -> run.result().bestLoss()),
            column("on the text learned from, in the end", Outcome::onLearned),
            column("seconds of training", outcome -> outcome.result().seconds()),
            fixed("weights", outcome -> outcome.result().parameters())));
    lab.figure(
        TrainingResult.figure(
            results, "Held-out loss while a short text is learned, first seed", "nats a byte"));
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 2, 3);
  }

  private static Trial<Outcome> trial(
      ExperimentContext lab, TokenFile text, Arm arm, int steps, double rate) {
    int batch = lab.pick(2, 8, 32);
    int batches = lab.pick(2, 30, 200);
    LanguageTrial trial =
        new LanguageTrial(
            Small.language(lab.pick(1, 3, 4), lab.pick(16, 64, 256), lab.pick(16, 128, 256), 4)
                .withBlock(b -> b.ffn(arm.ffn()).dropout(arm.dropout())),
            Small.training(steps, batch, 1).withLearningRate(rate),
            batches);
    return Trial.of(
        Outcome.class,
        session ->
            trial.examine(
                session.withText(text),
                (lm, result) -> {
                  double onLearned = onLearned(lm, text, batch, batches);
                  List<Double> byActive = new ArrayList<>();
                  for (int k = 1; arm.ffn() instanceof Experts.Config && k <= EXPERTS; k++) {
                    Experts.activate(lm, k);
                    byActive.add(LanguageModelling.evaluate(lm, text, batch, batches));
                  }
                  return new Outcome(result, onLearned, byActive);
                }));
  }

  private static double onLearned(CausalLm lm, TokenFile text, int batch, int batches) {
    SequenceSampler sampler = new SequenceSampler(text, batch, lm.config().length(), 1);
    double sum = 0;
    for (int i = 0; i < batches; i++) {
      try (Scope scope = Scope.open()) {
        Batch some = sampler.batch(i);
        sum += lm.loss(some.inputs(), some.targets()).item();
      }
    }
    return sum / batches;
  }
}
