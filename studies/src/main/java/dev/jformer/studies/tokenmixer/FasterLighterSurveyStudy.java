package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.mixer.DepthwiseConvolution;
import dev.jformer.mixer.Pooling;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.GatedAttention;
import dev.jformer.mixer.attention.PrimerAttention;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.SubsampledAttention;
import dev.jformer.mixer.extractor.MinimalistExtractor;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.mixer.linear.LinearAttention;
import dev.jformer.mixer.linear.Linformer;
import dev.jformer.mixer.linear.Performer;
import dev.jformer.mixer.sparse.Combiner;
import dev.jformer.mixer.sparse.LshAttention;
import dev.jformer.mixer.sparse.SlidingWindow;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.compare.Budget;
import dev.jformer.studies.compare.Choice;
import dev.jformer.studies.compare.Comparison;
import dev.jformer.studies.compare.Variant;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The survey of faster and lighter Transformers (arXiv 2103.14636): what its named mixers cost, how
 * good Performer's estimate of softmax attention is, and a comparison of all mixers on one task at
 * three lengths, for the survey's point is choice.
 */
@AutoService(Study.class)
public final class FasterLighterSurveyStudy implements Study {
  private static final int HEADS = 4;
  private static final String SOFTMAX = "softmax";
  private static final String LONGFORMER = "longformer";
  private static final String REFORMER = "reformer";
  private static final String LINFORMER = "linformer";
  private static final String PERFORMER = "performer";
  private static final double LINEAR = 1.15;
  private static final double SORTED = 1.3;

  /** Deviation of the coordinates of queries and keys whose kernel is estimated. */
  private static final double SHORT = 0.5;

  /**
   * How far Performer's estimates are off.
   *
   * @param features m
   * @param errors root mean square error of a product of features, as a share of the kernel, by m
   * @param bias mean of all estimates, as a share of the kernel, less one
   * @param biasError standard error of that
   */
  public record Estimate(
      List<Integer> features, List<Double> errors, double bias, double biasError) {
    /** The exponent p of error ~ m^p. */
    double exponent() {
      List<Cost.Point> points = new ArrayList<>();
      for (int i = 0; i < features.size(); i++) {
        points.add(new Cost.Point(features.get(i), errors.get(i), -1));
      }
      return new Cost(points).timeExponent(0);
    }
  }

  @Override
  public String slug() {
    return "faster-lighter-survey";
  }

  @Override
  public void run(ExperimentContext lab) {
    costs(lab);
    estimate(lab);
    compare(lab);
    lab.summary("");
    lab.note(
        "Of the survey's general methods, mixed precision is what 'training.precision=bfloat16' does"
            + " and is measured in bench.md; distillation, pruning and sharing of parameters are not"
            + " here yet.");
  }

  // ---- Cost

  private static Map<String, TokenMixer.Config> causal() {
    Map<String, TokenMixer.Config> mixers = new LinkedHashMap<>();
    mixers.put(SOFTMAX, new SoftmaxAttention.Config(HEADS, 0));
    mixers.put(LONGFORMER, new SlidingWindow.Config(HEADS, 0, 64, 1, 0));
    mixers.put(REFORMER, new LshAttention.Config(HEADS, 64, 2));
    mixers.put(PERFORMER, new Performer.Config(HEADS, 64, 0));
    mixers.put("linear", new LinearAttention.Config(HEADS));
    mixers.put("flow", new FlowAttention.Config(HEADS));
    mixers.put("combiner, log-sparse", combiner(Combiner.Kind.LOG_SPARSE));
    mixers.put("combiner, fixed", combiner(Combiner.Kind.FIXED));
    mixers.put(
        "ssa",
        new SubsampledAttention.Config(HEADS, 0, SubsampledAttention.Kind.UNBIASED, 0.25, 0.5, 0));
    mixers.put("pooling", new Pooling.Config());
    mixers.put("convolution", new DepthwiseConvolution.Config());
    return mixers;
  }

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
  }

  private static void costs(ExperimentContext lab) {
    LayerCost layer =
        new LayerCost(
            lab.scale().pick(16, 128, 512),
            lab.scale()
                .pick(
                    List.of(64, 128),
                    List.of(256, 512, 1024, 2048, 4096, 8192, 16_384),
                    List.of(256, 512, 1024, 2048, 4096, 8192, 16_384)));
    int from = lab.scale().pick(64, 2048, 2048);
    Map<String, Cost> costs = layer.measure(lab, causal(), true);
    costs.putAll(
        layer.measure(
            lab, Map.of(LINFORMER + " (both ways)", new Linformer.Config(HEADS, 64)), false));
    List<Check> linear = new ArrayList<>();
    for (String name :
        List.of(LONGFORMER, PERFORMER, "linear", "flow", LINFORMER + " (both ways)")) {
      Cost cost = costs.get(name);
      linear.add(Check.atMost(name + ", time", cost.timeExponent(from), LINEAR));
      linear.add(Check.atMost("memory", cost.memoryExponent(from), LINEAR));
    }
    lab.claim(
        "Windowed and linear mixers cost O(T)",
        "O(n) (table 2)",
        Check.all(linear.toArray(Check[]::new)));
    Cost reformer = costs.get(REFORMER);
    lab.claim(
        "Reformer costs O(T log T)",
        "O(n log n) (table 2)",
        Check.all(
            Check.atMost("time", reformer.timeExponent(from), SORTED),
            Check.atMost("memory", reformer.memoryExponent(from), SORTED)));
    layer.report(lab, costs, from);
  }

  // ---- Performer

  private static void estimate(ExperimentContext lab) {
    Estimate estimate =
        lab.measure(
            "Performer's estimates of short vectors", Estimate.class, () -> estimate(lab.scale()));
    lab.claim(
        "Performer's estimate of the softmax kernel is unbiased",
        "unbiased (arXiv 2009.14794, lemma 1)",
        Check.atMost(
            "mean error in standard errors", Math.abs(estimate.bias / estimate.biasError), 4));
    lab.claim(
        "The error of Performer's estimate falls as 1/√m with m features",
        "mean squared error falls with 1/m (arXiv 2009.14794, theorem 2)",
        Check.all(
            Check.atMost("exponent", estimate.exponent(), -0.4),
            Check.atLeast("exponent", estimate.exponent(), -0.7)));
    lab.figure(
        new Figure(
            "Performer: error of a kernel's estimate",
            "features m",
            "root mean square error, share of the kernel",
            true,
            true,
            List.of(
                Figure.Series.line(
                    "measured",
                    estimate.features.stream().map(Integer::doubleValue).toList(),
                    estimate.errors),
                Figure.Series.line(
                    "1/√m",
                    estimate.features.stream().map(Integer::doubleValue).toList(),
                    estimate.features.stream()
                        .map(
                            m ->
                                estimate.errors.get(0)
                                    * Math.sqrt((double) estimate.features.get(0) / m))
                        .toList()))));
  }

  private static Estimate estimate(Scale scale) {
    int d = 16;
    int pairs = scale.pick(4, 64, 256);
    int draws = scale.pick(8, 200, 1000);
    List<Integer> sizes =
        scale.pick(
            List.of(16, 64),
            List.of(16, 32, 64, 128, 256, 512),
            List.of(16, 32, 64, 128, 256, 512, 1024));
    Random.seed(1);
    try (Scope all = Scope.open();
        Mode mode = Autograd.noGrad()) {
      // The relative variance of one feature is about exp(|q + k|²): with longer vectors a few
      // draws
      // in thousands make all of the error, and a sample of them says nothing of the mean.
      Tensor q = Tensor.randn(pairs, d).mul(SHORT);
      Tensor k = Tensor.randn(pairs, d).mul(SHORT);
      Tensor kernel = q.mul(k).sum(1, false).div(Math.sqrt(d)).exp();
      List<Double> errors = new ArrayList<>();
      List<Double> means = new ArrayList<>();
      for (int m : sizes) {
        double error = 0;
        for (int i = 0; i < draws; i++) {
          try (Scope scope = Scope.open()) {
            Tensor off = product(q, k, directions(d, m)).div(kernel).sub(1.0);
            error += off.square().mean().item() / draws;
            means.add(off.mean().item());
          }
        }
        errors.add(Math.sqrt(error));
      }
      double mean = means.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
      double variance =
          means.stream().mapToDouble(x -> (x - mean) * (x - mean)).sum() / (means.size() - 1.0);
      return new Estimate(sizes, errors, mean, Math.sqrt(variance / means.size()));
    }
  }

  /** Directions as a Performer of one head draws them. */
  private static Tensor directions(int d, int features) {
    BlockContext site =
        new BlockContext(
            d, 0, 1, 16, false, false, 0, new BlockContext.Init(), new Linear.Config());
    try (TokenMixer mixer =
        new Performer.Config(1, features, 0)
            .build(site, new NoPosition.Config().build(d, 1, d, 16))) {
      return mixer.parameters().get("directions").value().copy();
    }
  }

  private static Tensor product(Tensor q, Tensor k, Tensor directions) {
    double root = Math.sqrt((double) directions.size(0));
    return features(q, directions).mul(features(k, directions)).sum(1, false).div(root).div(root);
  }

  private static Tensor features(Tensor x, Tensor directions) {
    Tensor scaled = x.mul(Math.pow((double) x.size(1), -0.25)).to(DType.FLOAT64);
    Tensor half = scaled.square().sum(1, true).mul(0.5);
    return scaled.matmul(directions.to(DType.FLOAT64).t()).sub(half).exp();
  }

  // ---- Comparison

  private static void compare(ExperimentContext lab) {
    int[] lengths =
        lab.scale()
            .pick(new int[] {16, 24, 32}, new int[] {64, 128, 256}, new int[] {512, 1024, 4096});
    int tokens = lab.scale().pick(64, 1024, 8192);
    Budget budget = Budget.parse(lab.scale().pick("2steps", "150steps", "20000steps"));
    List<List<String>> rows = new ArrayList<>();
    for (int length : lengths) {
      List<Variant> variants = new ArrayList<>();
      Map<String, TokenMixer.Config> mixers = causal();
      mixers.put("primer", new PrimerAttention.Config());
      mixers.put("gated", new GatedAttention.Config(HEADS, 0, 0.5));
      mixers.put("extractor (ME)", new MinimalistExtractor.Config());
      mixers.forEach(
          (name, mixer) ->
              variants.add(
                  new Variant(
                      name + ", " + length + " tokens",
                      new Recipe(
                          Small.language(2, lab.scale().pick(16, 64, 512), length, mixer),
                          new TextData(),
                          Small.training(10, Math.max(1, tokens / length), 1)))));
      Choice best =
          new Comparison(variants, budget, 1, Choice.Priority.QUALITY, 0.02)
              .run(lab, LanguageModellingJob.of(lab.text()));
      rows.add(
          Table.row(length, best.result().name(), best.result().cost().value(), best.reason()));
    }
    lab.table(
        new Table(
            "What the comparison advises, for the lowest loss",
            List.of("tokens", "mixer", "loss (nats a byte)", "why"),
            rows));
  }
}
