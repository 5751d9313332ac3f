package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.compress.neurons.Ifm;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.NeuronMask;
import dev.jformer.compress.neurons.NeuronRule;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.compress.neurons.RandomNeurons;
import dev.jformer.ffn.Mlp;
import dev.jformer.metrics.RankCorrelation;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Curve;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TextPairs;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Iterative Feature Merging (arXiv 2310.06756) of all-MiniLM-L6-v2 and of language models trained
 * here: how much can be merged away before quality falls, beside pruning of units by magnitude and
 * by chance to the same widths; and how many features are left in the course of training and as
 * models get wider.
 */
@AutoService(Study.class)
public final class FeatureComplexityStudy implements Study {
  /** The percentage by which quality may fall. */
  private static final double LOST = 1;

  private static final String OURS = "merging";
  private static final String MAGNITUDE = "magnitude";
  private static final String CHANCE = "chance";
  private static final List<String> METHODS = List.of(OURS, MAGNITUDE, CHANCE);

  /**
   * Thresholds at which features are counted. The last is that of the claims, for below it language
   * models as small as these have no two alike.
   */
  private static final List<Double> THRESHOLDS = List.of(0.05, 0.1, 0.2);

  /**
   * A model with fewer hidden units, in equal numbers by all methods: the threshold of the merging
   * that says how many, the features left in each layer, the percentages of units and of weights
   * that are gone, and the percentages of its quality that it loses, by method and seed.
   */
  private record Point(
      double threshold,
      List<Integer> features,
      double units,
      double weights,
      Map<String, List<Double>> lost) {
    double meanLost(String method) {
      return Seeds.mean(lost.get(method), each -> each);
    }

    String bound() {
      return threshold < 1 ? Check.number(threshold) : "no bound";
    }
  }

  /** A model under all methods. */
  private record Points(double quality, List<Point> points) {
    /** The largest percentage of weights gone at which at most 1 % of quality is lost. */
    Estimate free(String method) {
      int seeds = points.get(0).lost().get(method).size();
      return Estimate.ofSeeds(IntStream.range(0, seeds).mapToObj(s -> free(method, s)).toList());
    }

    private double free(String method, int seed) {
      return points.stream()
          .filter(point -> point.lost().get(method).get(seed) <= LOST)
          .mapToDouble(Point::weights)
          .max()
          .orElse(0);
    }

    Figure.Series curve(String method) {
      List<Point> sorted =
          points.stream().sorted(Comparator.comparingDouble(Point::weights)).toList();
      return Figure.Series.line(method, sorted, Point::weights, p -> p.meanLost(method));
    }
  }

  /** The percentages of a language model's features that are left, by {@link #THRESHOLDS}. */
  private record Features(long step, double loss, List<Double> left) {
    double last() {
      return left.get(left.size() - 1);
    }
  }

  /** A language model's features after each evaluation in training, and what is made of it. */
  private record Trained(List<Features> course, Points points) {}

  @Override
  public void run(ExperimentContext lab) {
    Points sentences =
        lab.measure("sentence encoder", Points.class, progress -> sentences(lab, progress));
    int usual = lab.pick(32, 256, 3072);
    Measured<Trained> courses =
        Arms.of("language model with GELU", Activation.GELU)
            .arm("language model with RELU", Activation.RELU)
            .learn(
                lab,
                "",
                1,
                activation ->
                    language(lab, usual, activation)
                        .watched(
                            Trained.class,
                            (model, step) -> features(lab, model, step),
                            (model, result, course) ->
                                new Trained(course, points(lab, subject(lab, model), done -> {}))));
    List<Integer> widths =
        lab.pick(
            List.of(16, 48), List.of(64, 128, 512, 1024), List.of(768, 1536, 3072, 6144, 12_288));
    Measured<Features> wide =
        Arms.named(widths, width -> width + " hidden units")
            .learn(
                lab,
                "",
                lab.pick(1, 2, 3),
                width ->
                    language(lab, width, Activation.RELU)
                        .examined(
                            Features.class,
                            (model, result) -> features(lab, model, result.steps())));
    report(lab, "sentence encoder", sentences);
    courses.arms().forEach(arm -> report(lab, arm.name(), arm.first().points()));
    complexity(lab, courses, wide);
    byLayer(lab, sentences);
    lab.note(
        "Only hidden units of perceptrons can leave; shares of weights are of the whole model,"
            + " tables of words included. Merging says how many units each layer keeps, by its"
            + " threshold or as a share; the others keep as many. The language models have 4 layers"
            + " of width 64 and learn bytes for 400 updates. Chance is the mean of two draws.");
    lab.note(TextPairs.NOTE);
  }

  /** Thresholds of the authors' runs, and shares of each layer with which none bounds. */
  private static List<Ifm> mergings(ExperimentContext lab) {
    List<Ifm> all = new ArrayList<>();
    List.of(0.01, 0.03, 0.05, 0.1).forEach(threshold -> all.add(new Ifm(threshold, 1)));
    List.of(0.05, 0.1, 0.2, 0.4).forEach(most -> all.add(new Ifm(1, most)));
    return lab.pick(List.of(new Ifm(0.1, 1), new Ifm(1, 0.3)), all, all);
  }

  private static Points points(ExperimentContext lab, Subject subject, DoubleConsumer progress) {
    double quality = subject.quality(subject.model());
    List<Point> points = new ArrayList<>();
    for (Ifm merging : mergings(lab)) {
      points.add(subject.compressed(merging, made -> point(lab, subject, quality, merging, made)));
      progress.accept((double) points.size() / mergings(lab).size());
    }
    return new Points(quality, points);
  }

  private static Point point(
      ExperimentContext lab, Subject subject, double quality, Ifm merging, Model merged) {
    List<Integer> left = List.copyOf(NeuronMask.counts(merged).values());
    ToDoubleFunction<NeuronRule> lost =
        rule -> 100 * subject.relativeLoss(new PruneNeurons(0, left, rule), quality);
    Map<String, List<Double>> all = new LinkedHashMap<>();
    all.put(OURS, List.of(100 * subject.relativeLoss(merged, quality)));
    all.put(MAGNITUDE, List.of(lost.applyAsDouble(new MagnitudeNeurons())));
    all.put(
        CHANCE,
        LongStream.rangeClosed(1, lab.pick(1, 2, 3))
            .mapToObj(seed -> lost.applyAsDouble(new RandomNeurons(seed)))
            .toList());
    return new Point(
        merging.threshold(),
        left,
        100 - percent(left, subject.model()),
        100 * (1 - (double) merged.parameterCount() / subject.model().parameterCount()),
        all);
  }

  /** The percentage that counts of units are of those of a model. */
  private static double percent(List<Integer> counts, Model model) {
    return 100.0 * sum(counts) / sum(NeuronMask.counts(model).values());
  }

  private static int sum(Collection<Integer> counts) {
    return counts.stream().mapToInt(count -> count).sum();
  }

  private static Points sentences(ExperimentContext lab, DoubleConsumer progress) {
    try (TextPairs pairs = new TextPairs(lab.scale())) {
      return points(lab, Subject.sentences(pairs, 0), progress);
    }
  }

  private static LanguageTrial language(ExperimentContext lab, int hidden, Activation activation) {
    return new LanguageTrial(
        Small.language(
                lab.pick(2, 4, 12),
                lab.pick(16, 64, 768),
                lab.pick(16, 64, 512),
                lab.pick(2, 4, 12))
            .withBlock(b -> b.ffn(new Mlp.Config(activation, 0, hidden))),
        Small.training(lab.pick(4, 400, 100_000), 16, 1),
        lab.pick(1, 10, 100));
  }

  private static Subject subject(ExperimentContext lab, CausalLm model) {
    return Subject.language(model, lab.text(), 16, 1, 16, lab.pick(1, 10, 200));
  }

  private static Features features(ExperimentContext lab, CausalLm model, long step) {
    List<Double> left =
        THRESHOLDS.stream().map(t -> percent(new Ifm(t, 1).complexity(model), model)).toList();
    return new Features(step, subject(lab, model).quality(model), left);
  }

  private static void report(ExperimentContext lab, String model, Points found) {
    Measured<Point> points = Measured.named(found.points(), point -> model);
    List<Column<Point>> columns =
        new ArrayList<>(
            List.of(
                fixed("threshold", Point::bound),
                fixed("features left", p -> p.features().toString().replaceAll("[\\[\\]]", "")),
                column("units gone (%)", Point::units),
                column("weights gone (%)", Point::weights)));
    METHODS.forEach(method -> columns.add(column(method, p -> p.meanLost(method))));
    String title = "The " + model + ", of " + Check.number(found.quality()) + ": what is lost (%)";
    lab.table(points.table(title, "model", columns));
    lab.figure(
        Figure.of(
            "The " + model,
            "weights gone (%)",
            "lost (%)",
            METHODS.stream().map(found::curve).toList()));
    for (String other : List.of(MAGNITUDE, CHANCE)) {
      lab.claim(
          "Of the " + model + ", merging takes more weights at 1 % of loss than " + other,
          "VGG16 on CIFAR-10 keeps 23 % of its weights at 1.7 points, without data or training",
          other,
          Check.above("weights gone at 1 % (%)", found.free(OURS), found.free(other)));
    }
  }

  private static void complexity(
      ExperimentContext lab, Measured<Trained> courses, Measured<Features> wide) {
    List<Column<Features>> columns =
        new ArrayList<>(List.of(fixed("updates", Features::step), column("loss", Features::loss)));
    columns.addAll(
        Column.each(
            THRESHOLDS.size(),
            i -> "left at " + Check.number(THRESHOLDS.get(i - 1)) + " (%)",
            Features::left));
    String title = "Complexity in the course of training";
    lab.table(courses.parts(Trained::course).table(title, "model", columns));
    lab.figure(
        courses.figure(
            title,
            "updates",
            "features left (%)",
            Curve.line(Trained::course, Features::step, Features::last)));
    lab.table(wide.table("Complexity by width", "model", columns));
    List<String> widths = wide.names();
    lab.claim(
        "The wider a model, the larger the share of its features that is redundant",
        "the larger the network, the more redundant features it learns",
        wide.below(
            "features left of the widest (%)",
            widths.get(widths.size() - 1), widths.get(0), Features::last));
    for (Measured.Arm<Trained> arm : courses.arms()) {
      List<Features> course = arm.first().course();
      lab.claim(
          "Of one "
              + arm.name()
              + " in the course of its training, the more complex is the better one",
          "networks of one structure with higher complexity perform better",
          Check.below(
              "rank correlation of complexity and loss",
              RankCorrelation.spearman(
                  course.stream().mapToDouble(Features::last).toArray(),
                  course.stream().mapToDouble(Features::loss).toArray()),
              0));
    }
  }

  private static void byLayer(ExperimentContext lab, Points sentences) {
    List<Integer> features =
        sentences.points().stream()
            .filter(point -> point.threshold() < 1)
            .reduce((first, second) -> second)
            .orElseThrow()
            .features();
    int last = features.size() - 1;
    double within = Collections.max(features.subList(Math.min(1, last), Math.max(1, last)));
    lab.claim(
        "Through the layers of the sentence encoder complexity rises, then falls",
        "through the layers the feature complexity first increases, then decreases",
        Check.all(
            Check.above(
                "most features of a layer within, against the first", within, features.get(0)),
            Check.above("against the last", within, features.get(last))));
  }
}
