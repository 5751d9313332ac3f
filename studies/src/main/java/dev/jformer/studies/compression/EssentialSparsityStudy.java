package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.prune.LotteryTicket;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.Masks;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
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

  /**
   * How much worse a model is when weights are left out.
   *
   * @param sparsities shares left out, rising
   * @param losses what is lost, relative to the model of all weights: 0.01 for 1 %
   */
  private record Curve(List<Double> sparsities, List<Double> losses) {
    /** The largest sparsity, of those measured, up to which at most 1 % is lost; 0 if none. */
    double essential() {
      double largest = 0;
      for (int i = 0; i < losses.size() && losses.get(i) <= LOSS; i++) {
        largest = sparsities.get(i);
      }
      return largest;
    }

    double at(double sparsity) {
      return losses.get(sparsities.indexOf(sparsity));
    }

    /** Where the curve is farthest below the straight line between its ends, each scaled to 1. */
    double knee() {
      int last = losses.size() - 1;
      double width = sparsities.get(last) - sparsities.get(0);
      double height = losses.get(last) - losses.get(0);
      double farthest = Double.NEGATIVE_INFINITY;
      double knee = sparsities.get(0);
      for (int i = 0; i <= last; i++) {
        double below =
            (sparsities.get(i) - sparsities.get(0)) / width
                - (losses.get(i) - losses.get(0)) / height;
        if (below > farthest) {
          farthest = below;
          knee = sparsities.get(i);
        }
      }
      return knee;
    }

    /** How many times as steep the curve is, in the mean, after the knee as before it. */
    double bend() {
      int at = sparsities.indexOf(knee());
      int last = losses.size() - 1;
      if (at == 0 || at == last) {
        return 1;
      }
      double before = (losses.get(at) - losses.get(0)) / (sparsities.get(at) - sparsities.get(0));
      double after =
          (losses.get(last) - losses.get(at)) / (sparsities.get(last) - sparsities.get(at));
      return after / Math.max(before, 1e-3);
    }

    Figure.Series series(String name) {
      return Figure.Series.line(name, sparsities, losses.stream().map(loss -> 100 * loss).toList());
    }
  }

  /** Relative losses of N:M patterns, in the order of {@link #PATTERNS}. */
  private record Patterns(List<Double> losses) {}

  private static final List<NmPruning> PATTERNS =
      List.of(new NmPruning(1, 2), new NmPruning(2, 4), new NmPruning(4, 8));

  /** One model under all methods. */
  private record Results(
      double quality, Curve global, Curve layers, Curve random, Patterns patterns) {}

  /** A language model in the course of its training; by the updates done. */
  private record Pretraining(
      List<Long> steps, List<Double> losses, List<Curve> curves, Results trained) {}

  /** Lottery tickets, each trained; losses relative to the model of all weights. */
  private record Tickets(List<Double> sparsities, List<Double> losses) {}

  /**
   * What sparse layers cost, as shares of what plain ones do.
   *
   * @param bytes in memory and files
   * @param bytes8 with values of 8 bits
   * @param many seconds of a pass of many tokens
   * @param one seconds of a pass of one short text
   */
  private record Price(double sparsity, double bytes, double bytes8, double many, double one) {}

  private record Prices(List<Price> prices) {}

  @Override
  public String slug() {
    return "essential-sparsity";
  }

  @Override
  public void run(ExperimentContext lab) {
    Results sentences =
        lab.measure("sentence encoder", Results.class, progress -> sentences(lab, progress));
    Pretraining language =
        lab.measure("language model", Pretraining.class, progress -> language(lab, progress));
    Tickets tickets =
        lab.measure("lottery tickets", Tickets.class, progress -> tickets(lab, progress));
    Prices prices = lab.measure("what sparse layers cost", Prices.class, () -> prices(lab));
    report(lab, sentences, language, tickets, prices);
  }

  private static List<Double> sparsities(Scale scale) {
    return scale.pick(
        List.of(0.0, 0.3, 0.6, 0.9),
        List.of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
        List.of(0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95));
  }

  // ---- All methods on a model

  /**
   * Prunes a model in all ways.
   *
   * @param quality of the model as it is
   * @param lost what a pruned one loses of it
   */
  private static Results results(
      Scale scale,
      Model model,
      double quality,
      ToDoubleFunction<Model> lost,
      DoubleConsumer progress) {
    List<Double> sparsities = sparsities(scale);
    Curve global = curve(model, sparsities, s -> new Magnitude(s, Masks.Reach.GLOBAL), lost);
    progress.accept(0.3);
    Curve layers = curve(model, sparsities, s -> new Magnitude(s, Masks.Reach.LAYER), lost);
    progress.accept(0.6);
    Curve random =
        curve(model, sparsities, s -> new RandomPruning(s, RandomPruning.Ratios.UNIFORM, 1), lost);
    progress.accept(0.9);
    List<Double> patterns = new ArrayList<>();
    PATTERNS.forEach(pattern -> patterns.add(lost(model, pattern, lost)));
    return new Results(quality, global, layers, random, new Patterns(patterns));
  }

  private interface Method {
    Compression of(double sparsity);
  }

  private static Curve curve(
      Model model, List<Double> sparsities, Method method, ToDoubleFunction<Model> lost) {
    return new Curve(
        sparsities, sparsities.stream().map(s -> lost(model, method.of(s), lost)).toList());
  }

  private static double lost(Model model, Compression method, ToDoubleFunction<Model> lost) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad();
        Model pruned = method.apply(model, null)) {
      return lost.applyAsDouble(pruned);
    }
  }

  // ---- A sentence encoder

  private static Results sentences(ExperimentContext lab, DoubleConsumer progress) {
    try (TextPairs pairs = new TextPairs(lab.scale(), PAIRS)) {
      double score = pairs.score(pairs.model());
      return results(
          lab.scale(),
          pairs.model(),
          score,
          pruned -> 1 - pairs.score((Encoder) pruned) / score,
          progress);
    }
  }

  // ---- A language model

  private static CausalLm.Config config(Scale scale) {
    return Small.language(
        scale.pick(1, 3, 12),
        scale.pick(32, 96, 768),
        scale.pick(16, 64, 512),
        new SoftmaxAttention.Config(scale.pick(2, 4, 12), 0));
  }

  private static TrainingConfig training(Scale scale) {
    return Small.training(scale.pick(4, 400, 100_000), 16, 1);
  }

  private static double loss(ExperimentContext lab, Model model) {
    return LanguageModelling.evaluate(
        (CausalLm) model, lab.text(), 16, lab.scale().pick(1, 10, 200));
  }

  private static Pretraining language(ExperimentContext lab, DoubleConsumer progress) {
    TrainingConfig training = training(lab.scale());
    List<Long> steps = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    List<Curve> curves = new ArrayList<>();
    List<Results> trained = new ArrayList<>();
    LanguageTrial.Observer observer =
        (model, step, ignored) -> {
          double loss = loss(lab, model);
          ToDoubleFunction<Model> lost = pruned -> loss(lab, pruned) / loss - 1;
          steps.add(step);
          losses.add(loss);
          if (step == training.steps()) {
            trained.add(results(lab.scale(), model, loss, lost, done -> {}));
            curves.add(trained.get(0).global());
          } else {
            List<Double> sparsities = sparsities(lab.scale());
            curves.add(curve(model, sparsities, s -> new Magnitude(s, Masks.Reach.GLOBAL), lost));
          }
        };
    new LanguageTrial(config(lab.scale()), training, lab.scale().pick(1, 10, 100), observer)
        .run(lab.text(), (done, detail) -> progress.accept(done), null);
    return new Pretraining(steps, losses, curves, trained.get(0));
  }

  private static Tickets tickets(ExperimentContext lab, DoubleConsumer progress) {
    TrainingConfig training = training(lab.scale());
    int rounds = lab.scale().pick(1, 3, 10);
    List<Double> sparsities = new ArrayList<>();
    List<Double> losses = new ArrayList<>();
    Random.seed(training.seed());
    try (CausalLm start = config(lab.scale()).build()) {
      new LotteryTicket(rounds, lab.scale().pick(0.5, 0.4, 0.2), Masks.Reach.GLOBAL)
          .run(
              start,
              model -> {
                LanguageModelling task =
                    new LanguageModelling((CausalLm) model, lab.text(), 16, training.seed(), 1);
                try (Trainer trainer = new Trainer(model, task, training, null)) {
                  double before = losses.size();
                  trainer.addListener(
                      new Listener() {
                        @Override
                        public void step(Step step) {
                          double share = (double) step.step() / training.steps();
                          progress.accept((before + share) / (rounds + 1));
                        }
                      });
                  trainer.run();
                }
              },
              (round, model) -> {
                sparsities.add(round == 0 ? 0 : 1 - Masks.of(model).density());
                losses.add(loss(lab, model));
              });
    }
    double whole = losses.get(0);
    return new Tickets(sparsities, losses.stream().map(loss -> loss / whole - 1).toList());
  }

  // ---- What sparse layers cost

  private static Prices prices(ExperimentContext lab) {
    Scale scale = lab.scale();
    try (TextPairs pairs = new TextPairs(scale, PAIRS);
        Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Encoder plain = pairs.model();
      int length = scale.pick(8, 64, 128);
      Tensor many = Tensor.randint(0, 200, scale.pick(2, 32, 32), length);
      Tensor one = Tensor.randint(0, 200, 1, scale.pick(4, 12, 12));
      int rounds = scale.pick(1, 5, 15);
      List<Price> prices = new ArrayList<>();
      for (double sparsity : List.of(0.5, 0.9)) {
        try (Encoder sparse =
                (Encoder) new Magnitude(sparsity, Masks.Reach.GLOBAL).apply(plain, null);
            Encoder small = (Encoder) new WeightInt8().apply(sparse, null)) {
          prices.add(
              new Price(
                  sparsity,
                  bytes(sparse) / bytes(plain),
                  layerBytes(small) / (4 * weights(plain)),
                  InterleavedTimer.ratio(
                      () -> sparse.hidden(many, null), () -> plain.hidden(many, null), rounds),
                  InterleavedTimer.ratio(
                      () -> sparse.hidden(one, null), () -> plain.hidden(one, null), rounds)));
        }
      }
      return new Prices(prices);
    }
  }

  private static double weights(Model plain) {
    return Masks.weights(plain).values().stream().mapToDouble(Tensor::elements).sum();
  }

  private static double layerBytes(Model sparse) {
    return sparse.modules().values().stream()
        .filter(SparseLinear.class::isInstance)
        .flatMap(layer -> layer.parameters().values().stream())
        .mapToDouble(p -> (double) p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  private static double bytes(Model model) {
    boolean sparse = model.modules().values().stream().anyMatch(SparseLinear.class::isInstance);
    return sparse ? layerBytes(model) : 4 * weights(model);
  }

  // ---- What was found

  private static void report(
      ExperimentContext lab,
      Results sentences,
      Pretraining language,
      Tickets tickets,
      Prices prices) {
    Map<String, Results> models = new LinkedHashMap<>();
    models.put("sentence encoder", sentences);
    models.put("language model", language.trained());
    models.forEach((name, results) -> table(lab, name, results));
    models.forEach((name, results) -> figure(lab, name, results, tickets));
    essential(lab, models);
    pretraining(lab, language);
    prices(lab, prices);
    claims(lab, models, tickets);
    emergence(lab, language);
    lab.note(
        "Left out are weights of the linear layers in the blocks; embeddings, norms, biases and the"
            + " output layer stay whole. The sentence encoder is all-MiniLM-L6-v2, judged by the"
            + " mean Spearman correlation of "
            + PAIRS
            + " pairs of each of four STS files; the language model has 3 layers of width 96 and"
            + " learns bytes for 400 updates, lottery tickets as many in every round.");
  }

  private static void table(ExperimentContext lab, String name, Results results) {
    List<List<String>> rows = new ArrayList<>();
    List<Double> sparsities = results.global().sparsities();
    for (int i = 0; i < sparsities.size(); i++) {
      rows.add(
          Table.row(
              100 * sparsities.get(i),
              100 * results.global().losses().get(i),
              100 * results.layers().losses().get(i),
              100 * results.random().losses().get(i)));
    }
    for (int i = 0; i < PATTERNS.size(); i++) {
      rows.add(
          Table.row(
              PATTERNS.get(i).keep() + ":" + PATTERNS.get(i).of(),
              "",
              100 * results.patterns().losses().get(i),
              ""));
    }
    lab.table(
        new Table(
            "What the " + name + " loses (%), of " + Check.number(results.quality()),
            List.of("left out (%)", "magnitude, global", "magnitude, layer by layer", "random"),
            rows));
  }

  private static void figure(ExperimentContext lab, String name, Results results, Tickets tickets) {
    List<Figure.Series> series = new ArrayList<>();
    series.add(results.global().series("magnitude, global"));
    series.add(results.layers().series("magnitude, layer by layer"));
    series.add(results.random().series("random"));
    if (name.equals("language model")) {
      series.add(
          Figure.Series.line(
              "lottery tickets, retrained",
              tickets.sparsities(),
              tickets.losses().stream().map(loss -> 100 * loss).toList()));
    }
    lab.figure(
        new Figure("What the " + name + " loses", "left out", "loss (%)", false, false, series));
  }

  private static void essential(ExperimentContext lab, Map<String, Results> models) {
    List<List<String>> rows = new ArrayList<>();
    models.forEach(
        (name, results) -> {
          rows.add(row(name + ", magnitude, global", results.global()));
          rows.add(row(name + ", magnitude, layer by layer", results.layers()));
          rows.add(row(name + ", random", results.random()));
        });
    lab.table(
        new Table(
            "Essential sparsity: the largest with at most 1 % lost; and the knee",
            List.of("", "essential sparsity (%)", "knee (%)", "slope after over before"), rows));
  }

  private static List<String> row(String name, Curve curve) {
    return Table.row(name, 100 * curve.essential(), 100 * curve.knee(), curve.bend());
  }

  private static void pretraining(ExperimentContext lab, Pretraining language) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> series = new ArrayList<>();
    for (int i = 0; i < language.steps().size(); i++) {
      Curve curve = language.curves().get(i);
      rows.add(
          Table.row(
              language.steps().get(i),
              language.losses().get(i),
              100 * curve.essential(),
              100 * curve.knee(),
              100 * curve.at(middle(curve))));
      series.add(curve.series(language.steps().get(i) + " updates"));
    }
    lab.table(
        new Table(
            "The language model in the course of its training",
            List.of(
                "updates",
                "loss (nats)",
                "essential sparsity (%)",
                "knee (%)",
                "lost at " + Check.number(100 * middle(language.curves().get(0))) + " % (%)"),
            rows));
    lab.figure(
        new Figure(
            "The language model in the course of its training",
            "left out",
            "loss (%)",
            false,
            false,
            series));
  }

  private static double middle(Curve curve) {
    return curve.sparsities().get(curve.sparsities().size() * 2 / 3);
  }

  private static void prices(ExperimentContext lab, Prices prices) {
    lab.table(
        new Table(
            "Sparse layers of the sentence encoder, as shares of what plain ones take",
            List.of(
                "left out (%)",
                "bytes of the layers",
                "with 8-bit values",
                "seconds, 32 texts of 64 tokens",
                "seconds, one text of 12 tokens"),
            prices.prices().stream()
                .map(p -> Table.row(100 * p.sparsity(), p.bytes(), p.bytes8(), p.many(), p.one()))
                .toList()));
    Price tenth = prices.prices().get(1);
    lab.claim(
        "A sparse model takes fewer bytes, in files and in memory",
        "not measured by the paper",
        Check.atMost("share of the layers' bytes at 90 %", tenth.bytes(), 0.14));
  }

  private static void claims(ExperimentContext lab, Map<String, Results> models, Tickets tickets) {
    models.forEach(
        (name, results) -> {
          Curve curve = results.global();
          lab.claim(
              "The " + name + " has a knee: quality hardly falls at first, then sharply",
              "30 to 50 % of the weights are left out of BERT and others with less than 1 % lost",
              Check.all(
                  Check.atLeast("essential sparsity", curve.essential(), 0.1),
                  Check.atLeast("slope after the knee over before", curve.bend(), STEEPER)));
          double sparsity = middle(curve);
          lab.claim(
              "Of the " + name + ", magnitude leaves far better weights than chance",
              "random pruning loses at once (figure 1)",
              Check.atMost(
                  "loss at " + Check.number(sparsity) + ", as a share of that of random pruning",
                  Math.max(0, curve.at(sparsity)) / results.random().at(sparsity),
                  0.25));
          List<Double> patterns = results.patterns().losses();
          lab.claim(
              "Of N:M patterns of the " + name + ", those of wider groups lose less",
              "4:8 above 2:4 above 1:2 (figure 4)",
              Check.all(
                  Check.below("2:4 (%)", 100 * patterns.get(1), 100 * patterns.get(0)),
                  Check.below("4:8 (%)", 100 * patterns.get(2), 100 * patterns.get(1))));
        });
    Curve curve = models.get("language model").global();
    int within = 0;
    int beyond = tickets.sparsities().size() - 1;
    for (int i = 1; i < tickets.sparsities().size(); i++) {
      within = tickets.sparsities().get(i) <= curve.essential() ? i : within;
    }
    lab.claim(
        "Up to essential sparsity, lottery tickets are no better than weights left out at once",
        "one-shot magnitude is comparable to or better than LTH within it (section 4)",
        Check.atMost(
            "one-shot loss above that of a ticket as sparse, at "
                + Check.number(tickets.sparsities().get(within)),
            interpolated(curve, tickets.sparsities().get(within)) - tickets.losses().get(within),
            LOSS));
    lab.claim(
        "Beyond it, where weights left out at once lose much, tickets still learn",
        "LTH is better beyond essential sparsity, at the price of training again",
        Check.below(
            "loss of a ticket at " + Check.number(tickets.sparsities().get(beyond)),
            tickets.losses().get(beyond),
            interpolated(curve, tickets.sparsities().get(beyond))));
  }

  private static double interpolated(Curve curve, double sparsity) {
    List<Double> x = curve.sparsities();
    int i = 1;
    while (i < x.size() - 1 && x.get(i) < sparsity) {
      i++;
    }
    double share = (sparsity - x.get(i - 1)) / (x.get(i) - x.get(i - 1));
    double before = curve.losses().get(i - 1);
    return before + share * (curve.losses().get(i) - before);
  }

  private static void emergence(ExperimentContext lab, Pretraining language) {
    List<Double> essential = language.curves().stream().map(Curve::essential).toList();
    double last = essential.get(essential.size() - 1);
    double rise = last - essential.get(0);
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
