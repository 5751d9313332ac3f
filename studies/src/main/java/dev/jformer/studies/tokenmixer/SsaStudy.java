package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.SubsampledAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.SelfEnsemble;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.LanguageModelling;
import java.util.List;
import java.util.Map;

/**
 * The Information Pathways Hypothesis: Transformers are Dynamic Self-Ensembles (<a
 * href="https://arxiv.org/abs/2306.01705">arXiv 2306.01705</a>): what stochastically subsampled
 * attention saves, whether it keeps a model from learning a small text by heart, and what averaging
 * over subsampled passes brings.
 */
@AutoService(Study.class)
public final class SsaStudy implements Study {
  private static final int HEADS = 4;
  private static final String DENSE = "dense";
  private static final String UNBIASED = "unbiased, a quarter";
  private static final String LOCAL = "local, a quarter";
  private static final String FINISHED = UNBIASED + ", dense finish";
  private static final String ENSEMBLE = "mean of several subsampled passes";
  private static final String SINGLE = "one subsampled pass";
  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>ofControl(DENSE, new SoftmaxAttention.Config(HEADS, 0))
          .arm(UNBIASED, quarter(SubsampledAttention.Kind.UNBIASED, 0))
          .arm(LOCAL, quarter(SubsampledAttention.Kind.LOCAL, 0));

  private static TokenMixer.Config quarter(SubsampledAttention.Kind kind, double dense) {
    return new SubsampledAttention.Config(HEADS, 0, kind, 0.25, 0.5, dense);
  }

  @Override
  public void run(ExperimentContext lab) {
    savings(lab, false);
    savings(lab, true);
    quality(lab);
    lab.note(
        "Savings are of a layer of width 128 in training, its projections included, both ways and"
            + " causally. Fused softmax attention holds no T×T matrix, so that"
            + " the memory that subsampling saves is that of keys and values only.");
  }

  private static void savings(ExperimentContext lab, boolean causal) {
    int tokens = lab.pick(256, 4096, 4096);
    Measured<Cost.Point> points =
        new LayerCost(lab.pick(16, 128, 128), List.of(tokens))
            .measure(lab, MIXERS, causal)
            .map(Cost::last);
    double dense = points.first(DENSE).seconds();
    lab.claim(
        "A quarter of the positions makes "
            + (causal ? "causal attention" : "attention that looks both ways")
            + " at least three times as fast",
        "4 to 8 times less compute in training (abstract)",
        DENSE,
        Check.all(
            Check.atLeast("times as fast, unbiased", dense / points.first(UNBIASED).seconds(), 3),
            Check.atLeast("times as fast, local", dense / points.first(LOCAL).seconds(), 3)));
    String ways = causal ? " tokens, causal" : " tokens, both ways";
    lab.table(
        points.table(
            "A layer, forward and backward, " + tokens + ways,
            "kind",
            column("ms", point -> 1e3 * point.seconds()),
            column("times as fast", point -> dense / point.seconds()),
            column("most memory (MB)", point -> point.bytes() / 1e6)));
  }

  private static void quality(ExperimentContext lab) {
    Measured<TrainingResult> runs =
        MIXERS
            .arm(FINISHED, quarter(SubsampledAttention.Kind.UNBIASED, 0.15))
            .learn(lab, "a little text", lab.pick(1, 2, 3), mixer -> trial(lab, mixer));
    lab.claim(
        "Where a dense model learns its text by heart, a subsampled one with a dense finish"
            + " does no worse at equal updates",
        "regularises: better than dense on WikiText-103 and on images (tables 1 to 3)",
        DENSE,
        runs.atMost("held-out loss", FINISHED, DENSE, TrainingResult::finalLoss));
    for (String kind : List.of(UNBIASED, LOCAL)) {
      lab.claim(
          "The mean of subsampled passes is at least as good as one dense pass (" + kind + ")",
          "self-ensembles outperform (section 5)",
          Check.atMost(
              "held-out loss",
              runs.of(kind, run -> run.metric(ENSEMBLE)),
              runs.of(kind, TrainingResult::finalLoss)));
    }
    lab.table(
        runs.table(
            "Language models that see a small text many times (nats a byte, held out)",
            "attention in training",
            column("best on the way", TrainingResult::bestLoss),
            column("last, dense", TrainingResult::finalLoss),
            column("last, one subsampled pass", run -> run.metric(SINGLE)),
            column("last, mean of " + passes(lab) + " passes", run -> run.metric(ENSEMBLE))));
    lab.figure(TrainingResult.figure(runs, "Held-out loss on the way, first seed", "nats a byte"));
  }

  private static int passes(ExperimentContext lab) {
    return lab.pick(2, 8, 32);
  }

  private static Trial<TrainingResult> trial(ExperimentContext lab, TokenMixer.Config mixer) {
    int rows = lab.pick(2, 8, 16);
    int batches = lab.pick(2, 24, 200);
    int evaluated = lab.pick(2, 24, 40);
    return new TaskTrial<>(
        Small.language(2, lab.pick(16, 96, 512), lab.pick(32, 128, 512), mixer)::build,
        Small.training(lab.pick(3, 600, 20_000), rows, 1),
        (model, session) -> new Little(model, session, rows, batches, evaluated),
        (model, task) -> Map.of(ENSEMBLE, task.ensemble(passes(lab)), SINGLE, task.ensemble(1)));
  }

  /** A few batches of text, again and again; the same ones whatever the seed. */
  private static final class Little extends ForwardingTask {
    private final CausalLm model;
    private final Trial.Session session;
    private final int rows;
    private final int batches;
    private final int evaluated;
    private final SequenceSampler sampler;

    Little(CausalLm model, Trial.Session session, int rows, int batches, int evaluated) {
      super(new LanguageModelling(model, session.text(), rows, 1, evaluated));
      this.model = model;
      this.session = session;
      this.rows = rows;
      this.batches = batches;
      this.evaluated = evaluated;
      this.sampler = new SequenceSampler(session.text(), rows, model.config().length(), 1);
    }

    @Override
    public Tensor loss(long index) {
      Batch batch = sampler.batch(index % batches);
      return model.loss(batch.inputs(), batch.targets());
    }

    double ensemble(int passes) {
      Random.seed(session.seed());
      return HeldOutText.loss(
          session.text(),
          rows,
          model.config().length(),
          evaluated,
          ids -> SelfEnsemble.logProbabilities(model, ids, passes));
    }
  }
}
