package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.ProbabilisticFlash;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.sparse.Combiner;
import dev.jformer.model.CausalLm;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * Combiner (arXiv 2107.05768): what its factorisations cost as sequences grow, and how near to full
 * attention they learn, beside their sparse pattern alone.
 */
@AutoService(Study.class)
public final class CombinerStudy implements Study {
  private static final int HEADS = 4;

  /** Of held-out text. */
  private static final int BATCHES = 40;

  private static final String SOFTMAX = "softmax attention";
  private static final String FIXED = "Combiner, fixed";
  private static final String LOG = "Combiner, log-sparse";
  private static final String AXIAL = "Combiner, axial";
  private static final String ALONE = "own block alone";

  /**
   * A model that learned with softmax attention, when others take its place; in the order of the
   * study's mixers, softmax attention first.
   *
   * @param losses nats a byte on held-out text
   * @param divergences Kullback-Leibler divergence of the predictions from softmax attention's,
   *     nats a byte
   */
  public record Exchange(List<Double> losses, List<Double> divergences) {}

  @Override
  public String slug() {
    return "combiner";
  }

  private static Map<String, TokenMixer.Config> mixers() {
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0));
    mixers.put(FIXED, combiner(Combiner.Kind.FIXED));
    mixers.put(LOG, combiner(Combiner.Kind.LOG_SPARSE));
    mixers.put(AXIAL, combiner(Combiner.Kind.AXIAL));
    return mixers;
  }

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    language(lab);
    exchange(lab);
  }

  private static void costs(ExperimentContext lab) {
    LayerCost layer =
        new LayerCost(
            lab.scale().pick(16, 128, 512),
            lab.scale()
                .pick(
                    List.of(64, 128),
                    List.of(1024, 2048, 4096, 8192, 16_384),
                    List.of(1024, 2048, 4096, 8192, 16_384)));
    int from = lab.scale().pick(64, 2048, 2048);
    Map<String, Cost> costs = layer.measure(lab, mixers(), true);
    lab.claim(
        "Fixed and axial factorisations cost O(T √T)",
        "O(L √L) (table 1)",
        Check.all(
            Check.atMost("exponent of time, fixed", costs.get(FIXED).timeExponent(from), 1.6),
            Check.atMost("axial", costs.get(AXIAL).timeExponent(from), 1.6)));
    lab.claim(
        "The log-sparse factorisation costs O(T log T)",
        "O(L log L) (table 1)",
        Check.all(
            Check.atMost("exponent of time", costs.get(LOG).timeExponent(from), 1.25),
            Check.atMost("exponent of memory", costs.get(LOG).memoryExponent(from), 1.25)));
    layer.report(lab, costs, from);
  }

  private static int length(Scale scale) {
    return scale.pick(36, 256, 1024);
  }

  /** The mixers, and what the fixed factorisation sees directly: blocks on the diagonal only. */
  private static Map<String, TokenMixer.Config> withBlockAlone(int length) {
    Map<String, TokenMixer.Config> mixers = mixers();
    int block = (int) Math.ceil(Math.sqrt(length));
    mixers.put(ALONE, new ProbabilisticFlash.Config(HEADS, 0, block, 0, true));
    return mixers;
  }

  private static CausalLm.Config model(Scale scale, TokenMixer.Config mixer) {
    return Small.language(2, scale.pick(16, 64, 512), length(scale), mixer);
  }

  private static TrainingConfig training(Scale scale, long seed) {
    return Small.training(scale.pick(2, 400, 40_000), scale.pick(2, 8, 16), seed);
  }

  private static void language(ExperimentContext lab) {
    int length = length(lab.scale());
    Map<String, TokenMixer.Config> mixers = withBlockAlone(length);
    Map<String, List<TrainingResult>> runs = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    mixers.forEach(
        (name, mixer) -> {
          LanguageTrial trial =
              new LanguageTrial(model(lab.scale(), mixer), training(lab.scale(), 1));
          List<TrainingResult> learned =
              lab.learn("language, " + name, trial, lab.scale().pick(1, 2, 3));
          runs.put(name, learned);
          rows.add(
              Table.row(
                  name,
                  TrainingResult.loss(learned),
                  TrainingResult.spread(learned),
                  Seeds.mean(learned, run -> 1e3 * run.seconds() / run.steps()),
                  Seeds.mean(learned, run -> run.peakBytes() / 1e6)));
          curves.add(learned.get(0).curve(name));
        });
    double softmax = TrainingResult.loss(runs.get(SOFTMAX));
    double fixed = TrainingResult.loss(runs.get(FIXED));
    lab.claim(
        "With regions, Combiner learns language better than its sparse pattern alone",
        "perplexity 16.60 against 19.12 of fixed sparse attention on Wiki-40B (table 3)",
        Check.below("held-out loss", fixed, TrainingResult.loss(runs.get(ALONE))));
    lab.claim(
        "Combiner learns language about as well as full attention",
        "perplexity 16.60 against 16.69 of full attention (table 3)",
        Check.atMost("loss as a multiple of softmax attention's", fixed / softmax, 1.02));
    lab.table(
        new Table(
            "Language models of " + length + " bytes at equal updates",
            List.of("mixer", "loss (nats a byte)", "spread", "ms a step", "peak MB"),
            rows));
    lab.figure(
        new Figure(
            "Language models, first seed", "updates", "held-out loss", false, false, curves));
  }

  // ---- In the place of softmax attention

  private static void exchange(ExperimentContext lab) {
    Map<String, TokenMixer.Config> mixers = withBlockAlone(length(lab.scale()));
    List<Exchange> all = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      all.add(
          lab.measure(
              "predictions in the place of softmax attention, seed " + seed,
              Exchange.class,
              progress -> exchange(lab.scale(), lab.text(), mixers, s, progress)));
    }
    List<String> names = List.copyOf(mixers.keySet());
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      int at = i;
      double mean = Seeds.mean(all, exchange -> exchange.losses().get(at));
      rows.add(Table.row(names.get(i), mean, divergence(all, i)));
    }
    lab.claim(
        "In a model that learned with full attention, Combiner predicts more like it than its sparse"
            + " pattern alone does",
        "full attention as a conditional expectation, not a part of it (section 3)",
        Check.below(
            "divergence of the predictions (nats a byte)",
            divergence(all, names.indexOf(FIXED)),
            divergence(all, names.indexOf(ALONE))),
        "The weights of a softmax model are used with the other mixers, untrained.");
    lab.table(
        new Table(
            "A model that learned with softmax attention, others in its place",
            List.of("mixer", "loss (nats a byte)", "divergence (nats a byte)"),
            rows));
  }

  private static double divergence(List<Exchange> all, int mixer) {
    return Seeds.mean(all, exchange -> exchange.divergences().get(mixer));
  }

  private static Exchange exchange(
      Scale scale,
      TokenFile text,
      Map<String, TokenMixer.Config> mixers,
      long seed,
      DoubleConsumer progress) {
    TrainingConfig training = training(scale, seed);
    Random.seed(seed);
    try (CausalLm learned = model(scale, mixers.get(SOFTMAX)).build()) {
      TrainingCurve.of(learned, task(learned, text, training), training, progress);
      learned.train(false);
      List<Double> losses = new ArrayList<>();
      List<Double> divergences = new ArrayList<>();
      for (TokenMixer.Config mixer : mixers.values()) {
        try (CausalLm other = model(scale, mixer).build()) {
          other.copyFrom(learned);
          other.train(false);
          losses.add(task(other, text, training).evaluate().loss());
          divergences.add(divergence(learned, other, text, training.batch()));
        }
      }
      return new Exchange(List.copyOf(losses), List.copyOf(divergences));
    }
  }

  /** How far the predictions of {@code other} are from those of {@code model}, nats a byte. */
  private static double divergence(CausalLm model, CausalLm other, TokenFile text, int batch) {
    double[] sum = new double[2];
    HeldOut.read(
        text,
        batch,
        model.config().length(),
        BATCHES,
        held -> {
          try (Scope scope = Scope.open();
              Mode mode = Autograd.noGrad()) {
            Tensor expected = model.logits(held.inputs()).logSoftmax(2);
            Tensor found = other.logits(held.inputs()).logSoftmax(2);
            Tensor each = expected.exp().mul(expected.sub(found)).sum(2, false);
            sum[0] += each.to(DType.FLOAT64).sum().item();
            sum[1] += each.elements();
          }
        });
    return sum[0] / sum[1];
  }

  private static LanguageModelling task(CausalLm model, TokenFile text, TrainingConfig training) {
    return new LanguageModelling(model, text, training.batch(), training.seed(), BATCHES);
  }
}
