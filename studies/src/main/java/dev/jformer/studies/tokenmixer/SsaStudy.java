package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.SubsampledAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.SelfEnsemble;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Stochastically subsampled self-attention (arXiv 2306.01705): what it saves, whether it keeps a
 * model from learning a small text by heart, and what averaging over subsampled passes brings.
 */
@AutoService(Study.class)
public final class SsaStudy implements Study {
  private static final int HEADS = 4;
  private static final double SHARE = 0.25;
  private static final String DENSE = "dense";
  private static final String UNBIASED = "unbiased, a quarter";
  private static final String LOCAL = "local, a quarter";

  /**
   * What came of a training.
   *
   * @param losses on held-out text, nats a byte, after equally many updates each
   * @param dense the last loss, looking at all pairs
   * @param ensemble the last loss of the mean of several subsampled passes
   * @param single the last loss of one subsampled pass
   */
  public record Outcome(List<Double> losses, double dense, double ensemble, double single) {
    double best() {
      return losses.stream().mapToDouble(Double::doubleValue).min().orElseThrow();
    }
  }

  @Override
  public String slug() {
    return "ssa";
  }

  private static SubsampledAttention.Config mixer(SubsampledAttention.Kind kind, double dense) {
    return new SubsampledAttention.Config(HEADS, 0, kind, SHARE, 0.5, dense);
  }

  @Override
  public void run(ExperimentContext lab) {
    savings(lab);
    quality(lab);
    lab.note(
        "Savings are of a layer of width 128 in training, its projections included, both ways and"
            + " causally. Fused softmax attention holds no T×T matrix, so that"
            + " the memory that subsampling saves is that of keys and values only.");
  }

  // ---- Savings

  private static void savings(ExperimentContext lab) {
    int tokens = lab.scale().pick(256, 4096, 4096);
    LayerCost layer = new LayerCost(lab.scale().pick(16, 128, 128), List.of(tokens));
    Map<String, Cost.Point> points = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    for (boolean causal : new boolean[] {false, true}) {
      String form = causal ? ", causal" : ", both ways";
      Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
      mixers.put(DENSE, new SoftmaxAttention.Config(HEADS, 0));
      mixers.put(UNBIASED, mixer(SubsampledAttention.Kind.UNBIASED, 0));
      mixers.put(LOCAL, mixer(SubsampledAttention.Kind.LOCAL, 0));
      layer
          .measure(lab, mixers, causal)
          .forEach((name, cost) -> points.put(name + form, cost.points().get(0)));
      Cost.Point dense = points.get(DENSE + form);
      for (String name : List.of(DENSE, UNBIASED, LOCAL)) {
        Cost.Point point = points.get(name + form);
        rows.add(
            Table.row(
                name + form,
                1e3 * point.seconds(),
                dense.seconds() / point.seconds(),
                point.bytes() / 1e6));
      }
    }
    lab.claim(
        "A quarter of the positions makes attention that looks both ways at least three times as fast",
        "4 to 8 times less compute in training (abstract)",
        Check.all(
            gain("unbiased", points, UNBIASED + ", both ways", DENSE + ", both ways"),
            gain("local", points, LOCAL + ", both ways", DENSE + ", both ways")));
    lab.claim(
        "A quarter of the positions makes causal attention at least three times as fast",
        "4 to 8 times less compute in training (abstract)",
        Check.all(
            gain("unbiased", points, UNBIASED + ", causal", DENSE + ", causal"),
            gain("local", points, LOCAL + ", causal", DENSE + ", causal")));
    lab.table(
        new Table(
            "A layer, forward and backward, " + tokens + " tokens",
            List.of("kind", "ms", "times as fast", "most memory (MB)"),
            rows));
  }

  private static Check gain(
      String name, Map<String, Cost.Point> points, String kind, String dense) {
    double times = points.get(dense).seconds() / points.get(kind).seconds();
    return Check.atLeast("times as fast, " + name, times, 3);
  }

  // ---- Quality

  private static void quality(ExperimentContext lab) {
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(DENSE, new SoftmaxAttention.Config(HEADS, 0));
    mixers.put(UNBIASED, mixer(SubsampledAttention.Kind.UNBIASED, 0));
    mixers.put(LOCAL, mixer(SubsampledAttention.Kind.LOCAL, 0));
    mixers.put(UNBIASED + ", dense finish", mixer(SubsampledAttention.Kind.UNBIASED, 0.15));
    int seeds = lab.scale().pick(1, 2, 3);
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    mixers.forEach(
        (name, mixer) -> {
          List<Outcome> outcomes = new ArrayList<>();
          for (int seed = 1; seed <= seeds; seed++) {
            int s = seed;
            outcomes.add(
                lab.measure(
                    "a little text, " + name + ", seed " + seed,
                    Outcome.class,
                    progress -> learn(lab.scale(), lab.text(), mixer, s, progress)));
          }
          all.put(name, outcomes);
          rows.add(
              Table.row(
                  name,
                  Seeds.mean(outcomes, Outcome::best),
                  Seeds.mean(outcomes, Outcome::dense),
                  Seeds.spread(outcomes, Outcome::dense),
                  Seeds.mean(outcomes, Outcome::single),
                  Seeds.mean(outcomes, Outcome::ensemble)));
          List<Double> losses = outcomes.get(0).losses();
          List<Double> updates = new ArrayList<>();
          for (int i = 1; i <= losses.size(); i++) {
            updates.add((double) i * Math.max(1, steps(lab.scale()) / 10));
          }
          curves.add(Figure.Series.line(name, updates, losses));
        });
    double dense = Seeds.mean(all.get(DENSE), Outcome::dense);
    double finished = Seeds.mean(all.get(UNBIASED + ", dense finish"), Outcome::dense);
    lab.claim(
        "Where a dense model learns its text by heart, a subsampled one with a dense finish does no"
            + " worse at equal updates",
        "regularises: better than dense on WikiText-103 and on images (tables 1 to 3)",
        Check.atMost("held-out loss", finished, dense));
    for (String kind : List.of(UNBIASED, LOCAL)) {
      List<Outcome> sampled = all.get(kind);
      lab.claim(
          "The mean of subsampled passes is at least as good as one dense pass (" + kind + ")",
          "self-ensembles outperform (section 5)",
          Check.atMost(
              "held-out loss",
              Seeds.mean(sampled, Outcome::ensemble),
              Seeds.mean(sampled, Outcome::dense)));
    }
    lab.table(
        new Table(
            "Language models that see a small text many times (nats a byte, held out)",
            List.of(
                "attention in training",
                "best on the way",
                "last, dense",
                "spread",
                "last, one subsampled pass",
                "last, mean of " + passes(lab.scale()) + " passes"),
            rows));
    lab.figure(
        new Figure(
            "Held-out loss on the way, first seed",
            "updates",
            "nats a byte",
            false,
            false,
            curves));
  }

  private static int steps(Scale scale) {
    return scale.pick(3, 600, 20_000);
  }

  private static int passes(Scale scale) {
    return scale.pick(2, 8, 32);
  }

  private static Outcome learn(
      Scale scale, TokenFile text, TokenMixer.Config mixer, long seed, DoubleConsumer progress) {
    int length = scale.pick(32, 128, 512);
    TrainingConfig training = Small.training(steps(scale), scale.pick(2, 8, 16), seed);
    Random.seed(seed);
    try (CausalLm model = Small.language(2, scale.pick(16, 96, 512), length, mixer).build()) {
      Little task =
          new Little(model, text, training, scale.pick(2, 24, 200), scale.pick(2, 24, 40));
      TrainingCurve course = TrainingCurve.of(model, task, training, progress);
      model.train(false);
      return new Outcome(
          course.losses(), course.last(), task.ensemble(passes(scale)), task.ensemble(1));
    }
  }

  /** A few batches of text, again and again. */
  private static final class Little implements Task {
    private final CausalLm model;
    private final TokenFile text;
    private final TrainingConfig training;
    private final int batches;
    private final int evaluated;
    private final SequenceSampler sampler;

    Little(CausalLm model, TokenFile text, TrainingConfig training, int batches, int evaluated) {
      this.model = model;
      this.text = text;
      this.training = training;
      this.batches = batches;
      this.evaluated = evaluated;
      // The same little text whatever the seed.
      this.sampler = new SequenceSampler(text, training.batch(), model.config().length(), 1);
    }

    @Override
    public Tensor loss(long index) {
      Batch batch = sampler.batch(index % batches);
      return model.loss(batch.inputs(), batch.targets());
    }

    @Override
    public long unitsPerBatch() {
      return (long) training.batch() * model.config().length();
    }

    @Override
    public String unit() {
      return "tokens";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(heldOut(ids -> model.logits(ids).logSoftmax(2)), "nats per token");
    }

    double ensemble(int passes) {
      Random.seed(training.seed());
      return heldOut(ids -> SelfEnsemble.logProbabilities(model, ids, passes));
    }

    private interface Prediction {
      Tensor of(Tensor ids);
    }

    private double heldOut(Prediction prediction) {
      double[] sum = new double[2];
      HeldOut.read(
          text,
          training.batch(),
          model.config().length(),
          evaluated,
          batch -> {
            try (Scope scope = Scope.open();
                Mode mode = Autograd.noGrad()) {
              Tensor chosen = prediction.of(batch.inputs()).gather(2, batch.targets().unsqueeze(2));
              sum[0] -= chosen.to(DType.FLOAT64).sum().item();
              sum[1] += batch.targets().elements();
            }
          });
      return sum[0] / sum[1];
    }
  }
}
