package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.fixed;

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
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.compare.Budget;
import dev.jformer.studies.compare.Choice;
import dev.jformer.studies.compare.Comparison;
import dev.jformer.studies.compare.Variant;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Cost.Point;
import dev.jformer.studies.trial.LayerCost;
import dev.jformer.studies.trial.Small;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A Practical Survey on Faster and Lighter Transformers (<a
 * href="https://arxiv.org/abs/2103.14636">arXiv 2103.14636</a>): what its named mixers cost, how
 * good Performer's estimate of softmax attention is, and a comparison of all mixers on one task at
 * three lengths, for the survey's point is choice.
 */
@AutoService(Study.class)
public final class FasterLighterSurveyStudy implements Study {
  private static final int HEADS = 4;
  private static final String REFORMER = "reformer";
  private static final String LINFORMER = "linformer (both ways)";
  private static final List<String> LINEAR =
      List.of("longformer", "performer", "linear", "flow", LINFORMER);
  private static final double LINEAR_EXPONENT = 1.15;
  private static final double SORTED_EXPONENT = 1.3;

  /** Deviation of the coordinates of queries and keys whose kernel is estimated. */
  private static final double SHORT = 0.5;

  private static final Arms<TokenMixer.Config> MIXERS =
      Arms.<TokenMixer.Config>ofControl("softmax", new SoftmaxAttention.Config(HEADS, 0))
          .arm("longformer", new SlidingWindow.Config(HEADS, 0, 64, 1, 0))
          .arm(REFORMER, new LshAttention.Config(HEADS, 64, 2))
          .arm("performer", new Performer.Config(HEADS, 64, 0))
          .arm("linear", new LinearAttention.Config(HEADS))
          .arm("flow", new FlowAttention.Config(HEADS))
          .arm("combiner, log-sparse", combiner(Combiner.Kind.LOG_SPARSE))
          .arm("combiner, fixed", combiner(Combiner.Kind.FIXED))
          .arm(
              "ssa",
              new SubsampledAttention.Config(
                  HEADS, 0, SubsampledAttention.Kind.UNBIASED, 0.25, 0.5, 0))
          .arm("pooling", new Pooling.Config())
          .arm("convolution", new DepthwiseConvolution.Config());

  /**
   * How far Performer's estimates are off.
   *
   * @param errors root mean square error of a product of features, as a share of the kernel; its
   *     sizes are numbers of features m
   * @param bias mean of all estimates, as a share of the kernel, less one, in standard errors
   */
  public record KernelErrors(List<Point> errors, double bias) {}

  private static TokenMixer.Config combiner(Combiner.Kind kind) {
    return new Combiner.Config(HEADS, kind, Combiner.Pool.MAX, 0);
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

  private static void costs(ExperimentContext lab) {
    List<Integer> sizes = List.of(256, 512, 1024, 2048, 4096, 8192, 16_384);
    LayerCost layer =
        new LayerCost(lab.pick(16, 128, 512), lab.pick(List.of(64, 128), sizes, sizes));
    int from = lab.pick(64, 2048, 2048);
    Arms<TokenMixer.Config> linformer = Arms.of(LINFORMER, new Linformer.Config(HEADS, 64));
    Measured<Cost> costs =
        layer.measure(lab, MIXERS, true).and(layer.measure(lab, linformer, false));
    lab.claim(
        "Windowed and linear mixers cost O(T)",
        "O(n) (table 2)",
        Check.each(
            LINEAR,
            name -> costs.first(name).growth(name + ", exponent of time", from, LINEAR_EXPONENT)));
    lab.claim(
        "Reformer costs O(T log T)",
        "O(n log n) (table 2)",
        costs.first(REFORMER).growth("exponent of time", from, SORTED_EXPONENT));
    layer.report(lab, costs, from);
  }

  private static void estimate(ExperimentContext lab) {
    KernelErrors found =
        lab.measure(
            "Performer's estimates of short vectors", KernelErrors.class, () -> errors(lab));
    lab.claim(
        "Performer's estimate of the softmax kernel is unbiased",
        "unbiased (arXiv 2009.14794, lemma 1)",
        Check.atMost("mean error in standard errors", Math.abs(found.bias), 4));
    double exponent = new Cost(found.errors).timeExponent(0);
    lab.claim(
        "The error of Performer's estimate falls as 1/√m with m features",
        "mean squared error falls with 1/m (arXiv 2009.14794, theorem 2)",
        Check.all(
            Check.atMost("exponent", exponent, -0.4), Check.atLeast("exponent", exponent, -0.7)));
    Point first = found.errors.get(0);
    double scaled = first.seconds() * Math.sqrt(first.size());
    lab.figure(
        Figure.of(
                "Performer: error of a kernel's estimate",
                "features m",
                "root mean square error, share of the kernel",
                Figure.Series.line("measured", found.errors(), Point::size, Point::seconds),
                Figure.Series.line(
                    "1/√m", found.errors(), Point::size, p -> scaled / Math.sqrt(p.size())))
            .withLogX()
            .withLogY());
  }

  private static KernelErrors errors(ExperimentContext lab) {
    int d = 16;
    int pairs = lab.pick(4, 64, 256);
    int draws = lab.pick(8, 200, 1000);
    List<Integer> usual = List.of(16, 32, 64, 128, 256, 512);
    List<Integer> sizes =
        lab.pick(List.of(16, 64), usual, List.of(16, 32, 64, 128, 256, 512, 1024));
    Random.seed(1);
    try (Mode mode = Autograd.noGrad()) {
      // The relative variance of one feature is about exp(|q + k|²): with longer vectors a few
      // draws in thousands make all of the error, and a sample says nothing of the mean.
      Tensor q = Tensor.randn(pairs, d).mul(SHORT).to(DType.FLOAT64);
      Tensor k = Tensor.randn(pairs, d).mul(SHORT).to(DType.FLOAT64);
      Tensor kernel = q.mul(k).sum(1, false).div(Math.sqrt(d)).exp();
      List<Point> errors = new ArrayList<>();
      List<Double> means = new ArrayList<>();
      for (int m : sizes) {
        double error = 0;
        for (int i = 0; i < draws; i++) {
          try (Scope scope = Scope.open();
              TokenMixer drawn = Small.mixer(new Performer.Config(1, m, 0), d, 16, false)) {
            Tensor off = ((Performer) drawn).kernel(q, k).div(kernel).sub(1.0);
            error += off.square().mean().item() / draws;
            means.add(off.mean().item());
          }
        }
        errors.add(new Point(m, Math.sqrt(error), -1));
      }
      Estimate bias = Estimate.mean(means, "draw");
      return new KernelErrors(errors, bias.value() / bias.error());
    }
  }

  private static void compare(ExperimentContext lab) {
    List<Integer> lengths =
        lab.pick(List.of(16, 24, 32), List.of(64, 128, 256), List.of(512, 1024, 4096));
    Map<String, Choice> best =
        Arms.named(lengths, Object::toString).map((name, length) -> choose(lab, length));
    lab.table(
        Measured.of(best)
            .table(
                "What the comparison advises, for the lowest loss",
                "tokens",
                fixed("mixer", choice -> choice.result().name()),
                fixed("loss (nats a byte)", choice -> choice.result().cost().value()),
                fixed("why", Choice::reason)));
  }

  private static Choice choose(ExperimentContext lab, int length) {
    int rows = Math.max(1, lab.pick(64, 1024, 8192) / length);
    int width = lab.pick(16, 64, 512);
    Map<String, Variant> variants =
        MIXERS
            .arm("primer", new PrimerAttention.Config())
            .arm("gated", new GatedAttention.Config(HEADS, 0, 0.5))
            .arm("extractor (ME)", new MinimalistExtractor.Config())
            .map(
                (name, mixer) ->
                    new Variant(
                        name + ", " + length + " tokens",
                        new Recipe(
                            Small.language(2, width, length, mixer),
                            new TextData(),
                            Small.training(10, rows, 1))));
    Budget budget = Budget.parse(lab.pick("2steps", "150steps", "20000steps"));
    return new Comparison(List.copyOf(variants.values()), budget, 1, Choice.Priority.QUALITY, 0.02)
        .run(lab, LanguageModellingJob.of(lab.text()));
  }
}
