package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.compress.prune.LotteryTicket;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.Masks;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.prune.SparsityCurve;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Measured.Cell;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.DoubleConsumer;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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

  private static final String GLOBAL = "magnitude, global";
  private static final String RANDOM = "random";
  private static final Arms<DoubleFunction<Compression>> METHODS =
      Arms.<DoubleFunction<Compression>>of(GLOBAL, EssentialSparsityStudy::global)
          .arm("magnitude, layer by layer", s -> new Magnitude(s, Masks.Reach.LAYER))
          .control(RANDOM, s -> new RandomPruning(s, RandomPruning.Ratios.UNIFORM, 1));
  private static final Arms<NmPruning> PATTERNS =
      Arms.of("1:2", new NmPruning(1, 2))
          .arm("2:4", new NmPruning(2, 4))
          .arm("4:8", new NmPruning(4, 8));

  private static Compression global(double sparsity) {
    return new Magnitude(sparsity, Masks.Reach.GLOBAL);
  }

  /** One model under all methods, and the percentages that it loses by N:M patterns. */
  public record Results(
      double quality, Map<String, SparsityCurve> methods, Map<String, Double> patterns) {
    SparsityCurve global() {
      return methods.get(GLOBAL);
    }
  }

  /** A language model in the course of its training, pruned by magnitude. */
  public record Stage(long updates, double loss, SparsityCurve curve) {}

  /** The stages of a training, and the trained model under all methods. */
  public record Pretraining(List<Stage> stages, Results trained) {}

  /**
   * What sparse layers cost, as shares of what plain ones do: bytes, also with values of 8 bits,
   * and seconds of a pass of many tokens and of one short text.
   */
  public record Price(double bytes, double bytes8, double many, double one) {}

  @Override
  public void run(ExperimentContext lab) {
    Pretraining language = language(lab);
    Map<String, Results> models = new LinkedHashMap<>();
    models.put(
        "sentence encoder", lab.measure("sentence encoder", Results.class, () -> sentences(lab)));
    models.put("language model", language.trained());
    SparsityCurve tickets =
        lab.measure("lottery tickets", SparsityCurve.class, done -> tickets(lab, done));
    models.forEach((name, results) -> report(lab, name, results, tickets));
    essential(lab, models);
    pretraining(lab, language.stages());
    prices(lab);
    models.forEach((name, results) -> claims(lab, name, results));
    tickets(lab, language.trained().global(), tickets);
    emergence(lab, language.stages());
    lab.note(
        "Left out are weights of the linear layers in the blocks; embeddings, norms, biases and the"
            + " output layer stay whole. The language model has 3 layers of width 96 and learns"
            + " bytes for 400 updates, lottery tickets as many in every round.");
    lab.note(TextPairs.NOTE);
  }

  private static SparsityCurve curve(
      ExperimentContext lab, Subject subject, double whole, DoubleFunction<Compression> method) {
    List<Double> tenths = List.of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9);
    List<Double> more = Stream.concat(tenths.stream(), Stream.of(0.95)).toList();
    return SparsityCurve.of(
        lab.pick(List.of(0.0, 0.3, 0.6, 0.9), tenths, more),
        sparsity -> subject.relativeLoss(method.apply(sparsity), whole));
  }

  private static Results results(ExperimentContext lab, Subject subject) {
    double whole = subject.quality(subject.model());
    return new Results(
        whole,
        METHODS.map((name, method) -> curve(lab, subject, whole, method)),
        PATTERNS.map((name, pattern) -> 100 * subject.relativeLoss(pattern, whole)));
  }

  private static Results sentences(ExperimentContext lab) {
    try (TextPairs pairs = new TextPairs(lab.scale());
        Mode mode = Autograd.noGrad()) {
      return results(lab, Subject.sentences(pairs, 0));
    }
  }

  private static LanguageTrial training(ExperimentContext lab) {
    return new LanguageTrial(
        Small.language(
            lab.pick(1, 3, 12), lab.pick(32, 96, 768), lab.pick(16, 64, 512), lab.pick(2, 4, 12)),
        Small.training(lab.pick(4, 400, 100_000), 16, 1),
        lab.pick(1, 10, 100));
  }

  private static Subject subject(ExperimentContext lab, Model model) {
    return Subject.language((CausalLm) model, lab.text(), 16, 0, 16, lab.pick(1, 10, 200));
  }

  private static Pretraining language(ExperimentContext lab) {
    return lab.learn(
        "language model",
        training(lab)
            .watched(
                Pretraining.class,
                (model, step) -> stage(lab, subject(lab, model), step),
                (model, result, stages) ->
                    new Pretraining(stages, results(lab, subject(lab, model)))));
  }

  private static Stage stage(ExperimentContext lab, Subject subject, long updates) {
    double loss = subject.quality(subject.model());
    return new Stage(updates, loss, curve(lab, subject, loss, EssentialSparsityStudy::global));
  }

  private static SparsityCurve tickets(ExperimentContext lab, DoubleConsumer progress) {
    LanguageTrial trial = training(lab);
    int rounds = lab.pick(1, 3, 10);
    AtomicInteger trained = new AtomicInteger();
    Random.seed(trial.training().seed());
    try (CausalLm start = trial.model().build()) {
      return new LotteryTicket(rounds, lab.pick(0.5, 0.4, 0.2), Masks.Reach.GLOBAL)
          .curve(
              start,
              model -> {
                int before = trained.getAndIncrement();
                DoubleConsumer round = done -> progress.accept((before + done) / (rounds + 1));
                trial.train((CausalLm) model, lab.text(), round);
              },
              model -> subject(lab, model).quality(model));
    }
  }

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
    try (TextPairs pairs = new TextPairs(lab.scale());
        Mode mode = Autograd.noGrad()) {
      Subject subject = Subject.sentences(pairs, 0);
      Tensor many = Tensor.randint(0, 200, lab.pick(2, 32, 32), lab.pick(8, 64, 128));
      Tensor one = Tensor.randint(0, 200, 1, lab.pick(4, 12, 12));
      int rounds = lab.pick(1, 5, 15);
      List<Compression> rounded = List.of(global(sparsity), new WeightInt8());
      double plain =
          Masks.weights(pairs.model()).values().stream().mapToDouble(w -> 4.0 * w.elements()).sum();
      return subject.compressed(
          global(sparsity),
          sparse ->
              new Price(
                  bytes(sparse) / plain,
                  subject.compressed(rounded, EssentialSparsityStudy::bytes) / plain,
                  subject.timesAsLong(sparse, many, rounds),
                  subject.timesAsLong(sparse, one, rounds)));
    }
  }

  private static double bytes(Model sparse) {
    return ModelRebuilder.all(sparse, SparseLinear.class).values().stream()
        .mapToDouble(SparseLinear::parameterBytes)
        .sum();
  }

  private static void report(
      ExperimentContext lab, String name, Results results, SparsityCurve tickets) {
    List<Double> sparsities = results.global().sparsities();
    Measured<SparsityCurve> curves = Measured.of(results.methods());
    lab.table(
        curves.crossTable(
            "What the " + name + " loses, of " + Check.number(results.quality()),
            "left out (%)",
            sparsities.stream().map(s -> 100 * s).toList(),
            new Cell<>("%", (curve, i) -> 100 * curve.losses().get(i))));
    lab.table(
        Measured.of(results.patterns())
            .table(
                "What the " + name + " loses by N:M patterns",
                "pattern",
                column("lost (%)", lost -> lost)));
    if (name.equals("language model")) {
      curves = curves.and(Measured.of(Map.of("lottery tickets, retrained", tickets)));
    }
    lab.figure(
        curves.figure(
            "What the " + name + " loses", "left out", "loss (%)", EssentialSparsityStudy::series));
  }

  private static Figure.Series series(SparsityCurve curve, String name) {
    List<Double> percent = curve.losses().stream().map(loss -> 100 * loss).toList();
    return Figure.Series.line(name, curve.sparsities(), percent);
  }

  private static void essential(ExperimentContext lab, Map<String, Results> models) {
    Map<String, SparsityCurve> all = new LinkedHashMap<>();
    models.forEach(
        (name, results) ->
            results.methods().forEach((method, curve) -> all.put(name + ", " + method, curve)));
    lab.table(
        Measured.of(all)
            .table(
                "Essential sparsity: the largest with at most 1 % lost; and the knee",
                "model and method",
                column("essential sparsity (%)", curve -> 100 * curve.essential(LOSS)),
                column("knee (%)", curve -> 100 * curve.knee()),
                column("slope after over before", SparsityCurve::bend)));
  }

  /** The sparsity at two thirds of those measured. */
  private static double middle(SparsityCurve curve) {
    return curve.sparsities().get(curve.sparsities().size() * 2 / 3);
  }

  private static void pretraining(ExperimentContext lab, List<Stage> list) {
    Measured<Stage> stages = Measured.named(list, stage -> String.valueOf(stage.updates()));
    double middle = middle(list.get(0).curve());
    String title = "The language model in the course of its training";
    lab.table(
        stages.table(
            title,
            "updates",
            column("loss", "nats", Stage::loss),
            column("essential sparsity (%)", s -> 100 * s.curve().essential(LOSS)),
            column("knee (%)", s -> 100 * s.curve().knee()),
            column(
                "lost at " + Check.number(100 * middle) + " % (%)",
                s -> 100 * s.curve().at(middle))));
    lab.figure(
        stages.figure(
            title + ", by updates",
            "left out",
            "loss (%)",
            (stage, name) -> series(stage.curve(), name)));
  }

  private static void claims(ExperimentContext lab, String name, Results results) {
    SparsityCurve curve = results.global();
    double middle = middle(curve);
    lab.claim(
        "The " + name + " has a knee: quality hardly falls at first, then sharply",
        "30 to 50 % of the weights are left out of BERT and others with less than 1 % lost",
        RANDOM,
        Check.all(
            Check.atLeast("essential sparsity", curve.essential(LOSS), 0.1),
            Check.atLeast("slope after the knee over before", curve.bend(), STEEPER)));
    lab.claim(
        "Of the " + name + ", magnitude leaves far better weights than chance",
        "random pruning loses at once (figure 1)",
        RANDOM,
        Check.atMost(
            "loss at " + Check.number(middle) + ", as a share of that of random pruning",
            Math.max(0, curve.at(middle)) / results.methods().get(RANDOM).at(middle),
            0.25));
    Map<String, Double> patterns = results.patterns();
    lab.claim(
        "Of N:M patterns of the " + name + ", those of wider groups lose less",
        "4:8 above 2:4 above 1:2 (figure 4)",
        Check.all(
            Check.below("2:4 (%)", patterns.get("2:4"), patterns.get("1:2")),
            Check.below("4:8 (%)", patterns.get("4:8"), patterns.get("2:4"))));
  }

  private static void tickets(ExperimentContext lab, SparsityCurve once, SparsityCurve tickets) {
    double bound = once.essential(LOSS);
    double sparse = tickets.sparsities().stream().filter(s -> s <= bound).reduce(0.0, Math::max);
    double sparsest = tickets.sparsities().stream().reduce(0.0, Math::max);
    lab.claim(
        "Up to essential sparsity, lottery tickets are no better than weights left out at once",
        "one-shot magnitude is comparable to or better than LTH within it (section 4)",
        Check.atMost(
            "one-shot loss above that of a ticket as sparse, at " + Check.number(sparse),
            once.at(sparse) - tickets.at(sparse),
            LOSS));
    lab.claim(
        "Beyond essential sparsity, where weights left out at once lose much, lottery tickets still"
            + " learn",
        "LTH is better beyond essential sparsity, at the price of training again",
        GLOBAL,
        Check.below(
            "loss of a ticket at " + Check.number(sparsest),
            tickets.at(sparsest),
            once.at(sparsest)));
  }

  private static void emergence(ExperimentContext lab, List<Stage> stages) {
    List<Double> essential = stages.stream().map(s -> s.curve().essential(LOSS)).toList();
    double rise = essential.get(essential.size() - 1) - essential.get(0);
    double jump =
        IntStream.range(1, essential.size())
            .mapToDouble(i -> essential.get(i) - essential.get(i - 1))
            .reduce(0, Math::max);
    lab.claim(
        "Sparsity emerges in pre-training, abruptly: much of its rise falls between two evaluations",
        "BERT becomes sparse suddenly after some updates of pre-training (figure 5)",
        Check.all(
            Check.above("rise of essential sparsity", rise, 0),
            Check.atLeast("share of the rise in one tenth of training", jump / rise, 0.5)));
  }
}
