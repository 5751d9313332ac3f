package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.prune.LotteryTicket;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.Masks;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Cell;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.function.ToDoubleFunction;

/**
 * Essential sparsity (arXiv 2306.03805) of all-MiniLM-L6-v2 and of a language model trained here:
 * how much can be left out by magnitude, at once, before quality falls; beside random pruning, N:M
 * patterns and lottery tickets, and in the course of pre-training.
 */
@AutoService(Study.class)
public final class EssentialSparsityStudy implements Study {
  /** By how much quality may fall, relative to what it was, at essential sparsity. */
  private static final double LOSS = 0.01;

  /** By so many times the fall after the knee is as steep as the one before, at least. */
  private static final double STEEPER = 5;

  /** Pairs of a file of scored pairs that are looked at. */
  private static final int PAIRS = 120;

  private static final String GLOBAL = "magnitude, global";
  private static final String RANDOM = "random";
  private static final Arms<DoubleFunction<Compression>> METHODS =
      Arms.<DoubleFunction<Compression>>of(GLOBAL, EssentialSparsityStudy::global)
          .arm("magnitude, layer by layer", s -> new Magnitude(s, Masks.Reach.LAYER))
          .control(RANDOM, s -> new RandomPruning(s, RandomPruning.Ratios.UNIFORM, 1));
  private static final List<NmPruning> PATTERNS =
      List.of(new NmPruning(1, 2), new NmPruning(2, 4), new NmPruning(4, 8));

  private static Compression global(double sparsity) {
    return new Magnitude(sparsity, Masks.Reach.GLOBAL);
  }

  /**
   * How much worse a model is when weights are left out.
   *
   * @param sparsities shares left out, rising
   * @param losses what is lost, relative to the model of all weights: 0.01 for 1 %
   */
  public record Curve(List<Double> sparsities, List<Double> losses) {
    /** The largest sparsity, of those measured, up to which at most 1 % is lost; 0 if none. */
    double essential() {
      double largest = 0;
      for (int i = 0; i < losses.size() && losses.get(i) <= LOSS; i++) {
        largest = sparsities.get(i);
      }
      return largest;
    }

    /** The loss at a sparsity, interpolated. */
    double at(double sparsity) {
      int i = 1;
      while (i < last() && sparsities.get(i) < sparsity) {
        i++;
      }
      return losses.get(i - 1) + slope(i - 1, i) * (sparsity - sparsities.get(i - 1));
    }

    private double slope(int from, int to) {
      return (losses.get(to) - losses.get(from)) / (sparsities.get(to) - sparsities.get(from));
    }

    private int last() {
      return losses.size() - 1;
    }

    /** Where the curve is farthest below the straight line between its ends. */
    double knee() {
      double width = sparsities.get(last()) - sparsities.get(0);
      double height = losses.get(last()) - losses.get(0);
      ToDoubleFunction<Integer> below =
          i ->
              (sparsities.get(i) - sparsities.get(0)) / width
                  - (losses.get(i) - losses.get(0)) / height;
      int first = 0;
      for (int i = 1; i <= last(); i++) {
        first = below.applyAsDouble(i) > below.applyAsDouble(first) ? i : first;
      }
      return sparsities.get(first);
    }

    /** How many times as steep the curve is, in the mean, after the knee as before it. */
    double bend() {
      int at = sparsities.indexOf(knee());
      return at == 0 || at == last() ? 1 : slope(at, last()) / Math.max(slope(0, at), 1e-3);
    }

    /** The sparsity at two thirds of those measured. */
    double middle() {
      return sparsities.get(sparsities.size() * 2 / 3);
    }

    Figure.Series series(String name) {
      return Figure.Series.line(name, sparsities, losses.stream().map(loss -> 100 * loss).toList());
    }
  }

  /** One model under all methods, and its relative losses under N:M patterns. */
  public record Results(double quality, Map<String, Curve> methods, Map<String, Double> patterns) {}

  /** A language model in the course of its training. */
  public record Stage(double loss, Curve curve) {}

  /** Stages by the updates done, and the trained model under all methods. */
  public record Pretraining(Map<String, Stage> stages, Results trained) {}

  /**
   * What sparse layers cost, as shares of what plain ones do.
   *
   * @param bytes in memory and files
   * @param bytes8 with values of 8 bits
   * @param many seconds of a pass of many tokens
   * @param one seconds of a pass of one short text
   */
  public record Price(double bytes, double bytes8, double many, double one) {}

  @Override
  public void run(ExperimentContext lab) {
    Scale scale = lab.scale();
    Pretraining language = language(lab);
    Map<String, Results> models = new LinkedHashMap<>();
    models.put(
        "sentence encoder", lab.measure("sentence encoder", Results.class, () -> sentences(scale)));
    models.put("language model", language.trained());
    Curve tickets = lab.measure("lottery tickets", Curve.class, done -> tickets(lab, done));
    models.forEach((name, results) -> tables(lab, name, results));
    figures(lab, models, tickets);
    pretraining(lab, Measured.of(language.stages()));
    prices(lab);
    models.forEach((name, results) -> claims(lab, name, results));
    tickets(lab, language.trained().methods().get(GLOBAL), tickets);
    emergence(lab, language.stages().values().stream().map(s -> s.curve().essential()).toList());
    lab.note(
        "Left out are weights of the linear layers in the blocks; embeddings, norms, biases and the"
            + " output layer stay whole. The sentence encoder is all-MiniLM-L6-v2, judged by the"
            + " mean Spearman correlation of "
            + PAIRS
            + " pairs of each of four STS files; the language model has 3 layers of width 96 and"
            + " learns bytes for 400 updates, lottery tickets as many in every round.");
  }

  // ---- Models

  private static Curve curve(Subject subject, DoubleFunction<Compression> method, Scale scale) {
    List<Double> sparsities = new ArrayList<>(List.of(0.0, 0.3, 0.6, 0.9));
    if (scale != Scale.SMOKE) {
      sparsities.addAll(List.of(0.1, 0.2, 0.4, 0.5, 0.7, 0.8));
      sparsities.addAll(scale == Scale.PAPER ? List.of(0.95) : List.of());
    }
    sparsities.sort(null);
    double whole = subject.quality(subject.model());
    return new Curve(
        sparsities,
        sparsities.stream().map(s -> subject.relativeLoss(method.apply(s), whole)).toList());
  }

  private static Results results(Subject subject, Scale scale) {
    double whole = subject.quality(subject.model());
    Map<String, Double> patterns = new LinkedHashMap<>();
    PATTERNS.forEach(p -> patterns.put(name(p), subject.relativeLoss(p, whole)));
    return new Results(
        whole, METHODS.map((name, method) -> curve(subject, method, scale)), patterns);
  }

  private static String name(NmPruning pattern) {
    return pattern.keep() + ":" + pattern.of();
  }

  private static Results sentences(Scale scale) {
    try (TextPairs pairs = new TextPairs(scale, PAIRS);
        Mode mode = Autograd.noGrad()) {
      return results(Subject.sentences(pairs, 0), scale);
    }
  }

  private static CausalLm.Config config(Scale scale) {
    return Small.language(
        scale.pick(1, 3, 12),
        scale.pick(32, 96, 768),
        scale.pick(16, 64, 512),
        scale.pick(2, 4, 12));
  }

  private static TrainingConfig training(Scale scale) {
    return Small.training(scale.pick(4, 400, 100_000), 16, 1);
  }

  private static Subject subject(ExperimentContext lab, Model model) {
    return Subject.language((CausalLm) model, lab.text(), 16, 0, 16, lab.scale().pick(1, 10, 200));
  }

  private static Pretraining language(ExperimentContext lab) {
    Scale scale = lab.scale();
    TrainingConfig training = training(scale);
    Map<String, Stage> stages = new LinkedHashMap<>();
    LanguageTrial.Observer observer =
        (model, step, ignored) -> {
          Subject subject = subject(lab, model);
          Curve curve = curve(subject, EssentialSparsityStudy::global, scale);
          stages.put(String.valueOf(step), new Stage(subject.quality(model), curve));
        };
    return lab.learn(
        "language model",
        new LanguageTrial(config(scale), training, scale.pick(1, 10, 100), observer)
            .examined(
                Pretraining.class,
                (model, result) -> new Pretraining(stages, results(subject(lab, model), scale))));
  }

  private static Curve tickets(ExperimentContext lab, DoubleConsumer progress) {
    TrainingConfig training = training(lab.scale());
    int rounds = lab.scale().pick(1, 3, 10);
    List<Double> sparsities = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    Random.seed(training.seed());
    try (CausalLm start = config(lab.scale()).build()) {
      new LotteryTicket(rounds, lab.scale().pick(0.5, 0.4, 0.2), Masks.Reach.GLOBAL)
          .run(
              start,
              model ->
                  TrainingCurve.of(
                      model,
                      new LanguageModelling((CausalLm) model, lab.text(), 16, training.seed(), 1),
                      training,
                      done -> progress.accept((losses.size() + done) / (rounds + 1))),
              (round, model) -> {
                sparsities.add(round == 0 ? 0 : 1 - Masks.of(model).density());
                losses.add(subject(lab, model).quality(model));
              });
    }
    return new Curve(sparsities, losses.stream().map(loss -> loss / losses.get(0) - 1).toList());
  }

  // ---- What sparse layers cost

  private static void prices(ExperimentContext lab) {
    Measured<Price> prices =
        Arms.of("50", 0.5)
            .arm("90", 0.9)
            .measure(lab, "what sparse layers cost, % left out: ", Price.class, s -> price(lab, s));
    lab.table(
        prices.table(
            "Sparse layers of the sentence encoder, as shares of what plain ones take",
            "left out (%)",
            column("bytes of the layers", Price::bytes),
            column("with 8-bit values", Price::bytes8),
            column("seconds, 32 texts of 64 tokens", Price::many),
            column("seconds, one text of 12 tokens", Price::one)));
    lab.claim(
        "A sparse model takes fewer bytes than a dense one, in files and in memory",
        "not measured by the paper",
        Check.atMost("share of the layers' bytes at 90 %", prices.first("90").bytes(), 0.14));
  }

  private static Price price(ExperimentContext lab, double sparsity) {
    Scale scale = lab.scale();
    try (TextPairs pairs = new TextPairs(scale, PAIRS);
        Mode mode = Autograd.noGrad()) {
      Subject subject = Subject.sentences(pairs, 0);
      Tensor many = Tensor.randint(0, 200, scale.pick(2, 32, 32), scale.pick(8, 64, 128));
      Tensor one = Tensor.randint(0, 200, 1, scale.pick(4, 12, 12));
      double weights =
          Masks.weights(pairs.model()).values().stream().mapToDouble(Tensor::elements).sum();
      return subject.compressed(
          global(sparsity),
          sparse ->
              new Price(
                  bytes(sparse) / (4 * weights),
                  subject.compressed(
                          List.of(global(sparsity), new WeightInt8()),
                          EssentialSparsityStudy::bytes)
                      / (4 * weights),
                  subject.timesAsLong(sparse, many, scale.pick(1, 5, 15)),
                  subject.timesAsLong(sparse, one, scale.pick(1, 5, 15))));
    }
  }

  private static double bytes(Model sparse) {
    return sparse.modules().values().stream()
        .filter(SparseLinear.class::isInstance)
        .mapToDouble(layer -> layer.parameterBytes())
        .sum();
  }

  // ---- What was found

  private static void tables(ExperimentContext lab, String name, Results results) {
    List<Double> sparsities = results.methods().get(GLOBAL).sparsities();
    lab.table(
        Measured.of(results.methods())
            .crossTable(
                "What the " + name + " loses, of " + Check.number(results.quality()),
                "left out (%)",
                sparsities.stream().map(s -> 100 * s).toList(),
                new Cell<>("%", (curve, i) -> 100 * curve.losses().get(i))));
    lab.table(
        Measured.of(results.patterns())
            .table(
                "What the " + name + " loses by N:M patterns",
                "pattern",
                column("lost (%)", loss -> 100 * loss)));
  }

  private static void figures(ExperimentContext lab, Map<String, Results> models, Curve tickets) {
    Map<String, Curve> all = new LinkedHashMap<>();
    models.forEach(
        (name, results) -> {
          Measured<Curve> curves = Measured.of(results.methods());
          if (name.equals("language model")) {
            curves = curves.and(Measured.of(Map.of("lottery tickets, retrained", tickets)));
          }
          lab.figure(
              curves.figure("What the " + name + " loses", "left out", "loss (%)", Curve::series));
          results.methods().forEach((method, curve) -> all.put(name + ", " + method, curve));
        });
    lab.table(
        Measured.of(all)
            .table(
                "Essential sparsity: the largest with at most 1 % lost; and the knee",
                "model and method",
                column("essential sparsity (%)", curve -> 100 * curve.essential()),
                column("knee (%)", curve -> 100 * curve.knee()),
                column("slope after over before", Curve::bend)));
  }

  private static void pretraining(ExperimentContext lab, Measured<Stage> stages) {
    double middle = stages.arms().get(0).first().curve().middle();
    lab.table(
        stages.table(
            "The language model in the course of its training",
            "updates",
            column("loss", "nats", Stage::loss),
            column("essential sparsity (%)", s -> 100 * s.curve().essential()),
            column("knee (%)", s -> 100 * s.curve().knee()),
            column(
                "lost at " + Check.number(100 * middle) + " % (%)",
                s -> 100 * s.curve().at(middle))));
    lab.figure(
        stages.figure(
            "The language model in the course of its training, by updates",
            "left out",
            "loss (%)",
            (stage, name) -> stage.curve().series(name)));
  }

  private static void claims(ExperimentContext lab, String name, Results results) {
    Curve curve = results.methods().get(GLOBAL);
    lab.claim(
        "The " + name + " has a knee: quality hardly falls at first, then sharply",
        "30 to 50 % of the weights are left out of BERT and others with less than 1 % lost",
        RANDOM,
        Check.all(
            Check.atLeast("essential sparsity", curve.essential(), 0.1),
            Check.atLeast("slope after the knee over before", curve.bend(), STEEPER)));
    lab.claim(
        "Of the " + name + ", magnitude leaves far better weights than chance",
        "random pruning loses at once (figure 1)",
        RANDOM,
        Check.atMost(
            "loss at " + Check.number(curve.middle()) + ", as a share of that of random pruning",
            Math.max(0, curve.at(curve.middle()))
                / results.methods().get(RANDOM).at(curve.middle()),
            0.25));
    List<Double> patterns =
        PATTERNS.stream().map(p -> 100 * results.patterns().get(name(p))).toList();
    lab.claim(
        "Of N:M patterns of the " + name + ", those of wider groups lose less",
        "4:8 above 2:4 above 1:2 (figure 4)",
        Check.all(
            Check.below("2:4 (%)", patterns.get(1), patterns.get(0)),
            Check.below("4:8 (%)", patterns.get(2), patterns.get(1))));
  }

  private static void tickets(ExperimentContext lab, Curve once, Curve tickets) {
    int within = 0;
    for (int i = 1; i <= tickets.last(); i++) {
      within = tickets.sparsities().get(i) <= once.essential() ? i : within;
    }
    double sparse = tickets.sparsities().get(within);
    lab.claim(
        "Up to essential sparsity, lottery tickets are no better than weights left out at once",
        "one-shot magnitude is comparable to or better than LTH within it (section 4)",
        Check.atMost(
            "one-shot loss above that of a ticket as sparse, at " + Check.number(sparse),
            once.at(sparse) - tickets.losses().get(within),
            LOSS));
    double sparsest = tickets.sparsities().get(tickets.last());
    lab.claim(
        "Beyond essential sparsity, where weights left out at once lose much, lottery tickets still"
            + " learn",
        "LTH is better beyond essential sparsity, at the price of training again",
        GLOBAL,
        Check.below(
            "loss of a ticket at " + Check.number(sparsest),
            tickets.losses().get(tickets.last()),
            once.at(sparsest)));
  }

  private static void emergence(ExperimentContext lab, List<Double> essential) {
    double rise = essential.get(essential.size() - 1) - essential.get(0);
    double jump = 0;
    for (int i = 1; i < essential.size(); i++) {
      jump = Math.max(jump, essential.get(i) - essential.get(i - 1));
    }
    lab.claim(
        "Sparsity emerges in pre-training, abruptly: much of its rise falls between two evaluations",
        "BERT becomes sparse suddenly after some updates of pre-training (figure 5)",
        Check.all(
            Check.above("rise of essential sparsity", rise, 0),
            Check.atLeast("share of the rise in one tenth of training", jump / rise, 0.5)));
  }
}
