package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.neurons.Ifm;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.NeuronMask;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.compress.neurons.RandomNeurons;
import dev.jformer.ffn.Mlp;
import dev.jformer.metrics.RankCorrelation;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Linear;
import dev.jformer.position.LearnedPosition;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Iterative Feature Merging (arXiv 2310.06756) of all-MiniLM-L6-v2 and of language models trained
 * here: how much can be merged away before quality falls, beside pruning of units by magnitude and
 * by chance to the same widths; and how many features are left in the course of training and as
 * models get wider.
 */
@AutoService(Study.class)
public final class FeatureComplexityStudy implements Study {
  /** By how much quality may fall, relative to what it was. */
  private static final double LOSS = 0.01;

  /** Pairs of a file of scored pairs that are looked at. */
  private static final int PAIRS = 120;

  private static final String OURS = "merging";
  private static final String MAGNITUDE = "magnitude";
  private static final String CHANCE = "chance";
  private static final List<String> METHODS = List.of(OURS, MAGNITUDE, CHANCE);
  private static final List<Integer> WIDE = List.of(768, 1536, 3072, 6144, 12_288);

  /** Thresholds of the authors' runs, and shares of each layer with which none bounds. */
  private static List<Ifm> mergings(Scale scale) {
    List<Ifm> all =
        List.of(
            new Ifm(0.01, 1),
            new Ifm(0.03, 1),
            new Ifm(0.05, 1),
            new Ifm(0.1, 1),
            new Ifm(1, 0.05),
            new Ifm(1, 0.1),
            new Ifm(1, 0.2),
            new Ifm(1, 0.4));
    return scale.pick(List.of(new Ifm(0.1, 1), new Ifm(1, 0.3)), all, all);
  }

  /** Thresholds at which features are counted. */
  private static final List<Double> THRESHOLDS = List.of(0.05, 0.1, 0.2);

  /** That of the claims, for below it language models as small as these have no two alike. */
  private static final double THRESHOLD = 0.2;

  /**
   * A model with fewer hidden units, in equal numbers by all methods.
   *
   * @param threshold of the merging that says how many
   * @param most the same
   * @param features that are left in each layer
   * @param units share of the hidden units that is gone
   * @param weights share of the model's weights that is gone
   * @param merging what is lost, relative to the model as it was: 0.01 for 1 %
   * @param chance the same of each seed
   */
  private record Point(
      double threshold,
      double most,
      List<Integer> features,
      double units,
      double weights,
      double merging,
      double magnitude,
      List<Double> chance) {
    double lost(String method) {
      return switch (method) {
        case OURS -> merging;
        case MAGNITUDE -> magnitude;
        default -> chance.stream().mapToDouble(loss -> loss).average().orElse(Double.NaN);
      };
    }
  }

  /** A model under all methods. */
  private record Points(double quality, List<Point> points) {
    /** The largest share of weights gone, of those measured, at which at most 1 % is lost. */
    double free(String method) {
      return points.stream()
          .filter(point -> point.lost(method) <= LOSS)
          .mapToDouble(Point::weights)
          .max()
          .orElse(0);
    }

    Figure.Series series(String method) {
      List<Point> byWeights =
          points.stream().sorted(Comparator.comparingDouble(Point::weights)).toList();
      return Figure.Series.line(
          method,
          byWeights.stream().map(p -> 100 * p.weights()).toList(),
          byWeights.stream().map(p -> 100 * p.lost(method)).toList());
    }
  }

  /**
   * How many features are left of a language model's layers.
   *
   * @param left of each layer, by {@link #THRESHOLDS}
   * @param of how many there are in each layer
   */
  private record Features(long step, double loss, List<List<Integer>> left, int of) {
    /** The share of the features that is left. */
    double share(double threshold) {
      List<Integer> layers = left.get(THRESHOLDS.indexOf(threshold));
      return layers.stream().mapToInt(each -> each).sum() / (double) (of * layers.size());
    }
  }

  /** In the course of a training, and what all methods make of its end, if they are asked. */
  private record Trained(List<Features> course, Points points) {
    Features last() {
      return course.get(course.size() - 1);
    }
  }

  @Override
  public String slug() {
    return "feature-complexity";
  }

  @Override
  public void run(ExperimentContext lab) {
    Points sentences =
        lab.measure("sentence encoder", Points.class, progress -> sentences(lab, progress));
    Map<String, Points> models = new LinkedHashMap<>();
    models.put("sentence encoder", sentences);
    Map<String, Trained> courses = new LinkedHashMap<>();
    for (Activation activation : List.of(Activation.GELU, Activation.RELU)) {
      String name = "language model with " + activation;
      int hidden = lab.scale().pick(32, 256, 3072);
      Trained trained =
          lab.measure(
              name,
              Trained.class,
              progress -> language(lab, hidden, activation, true, 1, progress));
      courses.put(name, trained);
      models.put(name, trained.points());
    }
    Map<Integer, List<Trained>> byWidth = new LinkedHashMap<>();
    for (int hidden : lab.scale().pick(List.of(16, 48), List.of(64, 128, 512, 1024), WIDE)) {
      byWidth.put(hidden, new ArrayList<>());
      for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
        int own = seed;
        byWidth
            .get(hidden)
            .add(
                lab.measure(
                    hidden + " hidden units, seed " + seed,
                    Trained.class,
                    progress -> language(lab, hidden, Activation.RELU, false, own, progress)));
      }
    }
    models.forEach((name, points) -> report(lab, name, points));
    complexity(lab, courses, byWidth);
    byLayer(lab, sentences);
    lab.note(
        "Only hidden units of perceptrons can leave; shares of weights are of the whole model,"
            + " tables of words included. Merging says how many units each layer keeps, by its"
            + " threshold or as a share; the others keep as many. The sentence encoder is"
            + " all-MiniLM-L6-v2, judged by the mean Spearman correlation of "
            + PAIRS
            + " pairs of each of four STS files; the language models have 4 layers of width 64 and"
            + " learn bytes for 400 updates. Chance is the mean of two draws.");
  }

  // ---- All methods on a model

  private static Points points(
      Scale scale,
      Model model,
      double quality,
      ToDoubleFunction<Model> lost,
      DoubleConsumer progress) {
    List<Point> points = new ArrayList<>();
    List<Ifm> mergings = mergings(scale);
    double units = NeuronMask.counts(model).values().stream().mapToInt(count -> count).sum();
    for (Ifm merging : mergings) {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad();
          Model merged = merging.apply(model, null)) {
        List<Integer> left = List.copyOf(NeuronMask.counts(merged).values());
        List<Double> chance = new ArrayList<>();
        for (int seed = 1; seed <= scale.pick(1, 2, 3); seed++) {
          chance.add(lost(model, new PruneNeurons(0, left, new RandomNeurons(seed)), lost));
        }
        points.add(
            new Point(
                merging.threshold(),
                merging.most(),
                left,
                1 - left.stream().mapToInt(count -> count).sum() / units,
                1 - (double) merged.parameterCount() / model.parameterCount(),
                lost.applyAsDouble(merged),
                lost(model, new PruneNeurons(0, left, new MagnitudeNeurons()), lost),
                chance));
      }
      progress.accept((double) points.size() / mergings.size());
    }
    return new Points(quality, points);
  }

  private static double lost(Model model, Compression method, ToDoubleFunction<Model> lost) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model pruned = method.apply(model, null)) {
      return lost.applyAsDouble(pruned);
    }
  }

  private static Points sentences(ExperimentContext lab, DoubleConsumer progress) {
    try (TextPairs pairs = new TextPairs(lab.scale(), PAIRS)) {
      double score = pairs.score(pairs.model());
      return points(
          lab.scale(),
          pairs.model(),
          score,
          pruned -> 1 - pairs.score((Encoder) pruned) / score,
          progress);
    }
  }

  private static Trained language(
      ExperimentContext lab,
      int hidden,
      Activation activation,
      boolean prune,
      long seed,
      DoubleConsumer progress) {
    Scale scale = lab.scale();
    CausalLm.Config config =
        Small.language(
            scale.pick(2, 4, 12),
            scale.pick(16, 64, 768),
            scale.pick(16, 64, 512),
            new LearnedPosition.Config(),
            new SoftmaxAttention.Config(scale.pick(2, 4, 12), 0),
            new Mlp.Config(activation, 0, hidden),
            new Linear.Config());
    TrainingConfig training = Small.training(scale.pick(4, 400, 100_000), 16, seed);
    List<Features> course = new ArrayList<>();
    List<Points> points = new ArrayList<>();
    LanguageTrial.Observer observer =
        (model, step, ignored) -> {
          double loss = loss(lab, model);
          boolean last = step == training.steps();
          if (prune || last) {
            course.add(
                new Features(
                    step,
                    loss,
                    THRESHOLDS.stream().map(t -> new Ifm(t, 1).complexity(model)).toList(),
                    hidden));
          }
          if (prune && last) {
            ToDoubleFunction<Model> lost = pruned -> loss(lab, pruned) / loss - 1;
            points.add(points(scale, model, loss, lost, done -> {}));
          }
        };
    new LanguageTrial(config, training, scale.pick(1, 10, 100), observer)
        .run(lab.text(), (done, detail) -> progress.accept(done), null);
    return new Trained(course, points.isEmpty() ? new Points(0, List.of()) : points.get(0));
  }

  private static double loss(ExperimentContext lab, Model model) {
    return LanguageModelling.evaluate(
        (CausalLm) model, lab.text(), 16, lab.scale().pick(1, 10, 200));
  }

  // ---- What was found

  private static void report(ExperimentContext lab, String model, Points found) {
    List<List<String>> rows = new ArrayList<>();
    for (Point point : found.points()) {
      rows.add(
          Table.row(
              point.threshold() < 1 ? Check.number(point.threshold()) : "no bound",
              point.features().stream().map(String::valueOf).collect(Collectors.joining(", ")),
              100 * point.units(),
              100 * point.weights(),
              100 * point.lost(OURS),
              100 * point.lost(MAGNITUDE),
              100 * point.lost(CHANCE)));
    }
    lab.table(
        new Table(
            "The " + model + ", of " + Check.number(found.quality()) + ": what is lost (%)",
            List.of(
                "threshold",
                "features left",
                "units gone (%)",
                "weights gone (%)",
                OURS,
                MAGNITUDE,
                CHANCE),
            rows));
    lab.figure(
        new Figure(
            "The " + model,
            "weights gone (%)",
            "lost (%)",
            false,
            false,
            METHODS.stream().map(found::series).toList()));
    lab.claim(
        "Of the " + model + ", merging takes more weights at 1 % of loss than magnitude",
        "VGG16 on CIFAR-10 keeps 23 % of its weights at 1.7 points, without data or training",
        Check.above(
            "weights gone at 1 % (%)", 100 * found.free(OURS), 100 * found.free(MAGNITUDE)));
    lab.claim(
        "Of the " + model + ", merging takes more weights at 1 % of loss than chance",
        "VGG16 on CIFAR-10 keeps 23 % of its weights at 1.7 points, without data or training",
        Check.above("weights gone at 1 % (%)", 100 * found.free(OURS), 100 * found.free(CHANCE)));
  }

  private static void complexity(
      ExperimentContext lab, Map<String, Trained> courses, Map<Integer, List<Trained>> byWidth) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> lines = new ArrayList<>();
    courses.forEach(
        (name, trained) -> {
          trained.course().forEach(f -> rows.add(row(name, f.step(), List.of(f))));
          lines.add(
              Figure.Series.line(
                  name,
                  trained.course().stream().map(f -> (double) f.step()).toList(),
                  trained.course().stream().map(f -> 100 * f.share(THRESHOLD)).toList()));
        });
    List<String> shares =
        THRESHOLDS.stream().map(t -> "left at " + Check.number(t) + " (%)").toList();
    List<String> columns = new ArrayList<>(List.of("model", "updates", "loss"));
    columns.addAll(shares);
    lab.table(new Table("Complexity in the course of training", columns, rows));
    lab.figure(
        new Figure(
            "Complexity in the course of training",
            "updates",
            "features left (%)",
            false,
            false,
            lines));
    List<List<String>> wide = new ArrayList<>();
    byWidth.forEach(
        (hidden, runs) ->
            wide.add(
                row(
                    hidden + " hidden units",
                    runs.get(0).last().step(),
                    runs.stream().map(Trained::last).toList())));
    lab.table(new Table("Complexity by width", columns, wide));
    int narrowest = byWidth.keySet().stream().mapToInt(w -> w).min().orElseThrow();
    int widest = byWidth.keySet().stream().mapToInt(w -> w).max().orElseThrow();
    lab.claim(
        "The wider a model, the larger the share of its features that is redundant",
        "the larger the network, the more redundant features it learns",
        Check.below(
            "features left of the widest (%)",
            100 * left(byWidth.get(widest)), 100 * left(byWidth.get(narrowest))));
    courses.forEach(
        (name, trained) ->
            lab.claim(
                "Of one "
                    + name
                    + " in the course of its training, the more complex is the better one",
                "networks of one structure with higher complexity perform better",
                Check.below(
                    "rank correlation of complexity and loss",
                    RankCorrelation.spearman(
                        trained.course().stream().mapToDouble(f -> f.share(THRESHOLD)).toArray(),
                        trained.course().stream().mapToDouble(Features::loss).toArray()),
                    0)));
  }

  private static void byLayer(ExperimentContext lab, Points sentences) {
    List<Integer> features =
        sentences.points().stream()
            .filter(point -> point.threshold() < 1)
            .reduce((first, second) -> second)
            .orElseThrow()
            .features();
    int last = features.size() - 1;
    double within =
        features.subList(Math.min(1, last), Math.max(1, last)).stream()
            .mapToInt(count -> count)
            .max()
            .orElse(0);
    lab.claim(
        "Through the layers of the sentence encoder complexity rises, then falls",
        "through the layers the feature complexity first increases, then decreases",
        Check.all(
            Check.above(
                "most features of a layer within, against the first", within, features.get(0)),
            Check.above("against the last", within, features.get(last))));
  }

  private static double left(List<Trained> runs) {
    return Seeds.mean(runs, run -> run.last().share(THRESHOLD));
  }

  private static List<String> row(String name, long step, List<Features> found) {
    List<Object> cells = new ArrayList<>();
    cells.add(name);
    cells.add((double) step);
    cells.add(Seeds.mean(found, Features::loss));
    THRESHOLDS.forEach(t -> cells.add(100 * Seeds.mean(found, f -> f.share(t))));
    return Table.row(cells.toArray());
  }
}
