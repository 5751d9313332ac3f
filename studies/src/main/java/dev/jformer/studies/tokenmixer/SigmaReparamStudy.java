package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Fold;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.TokenFile;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.AttentionEntropy;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.nn.SigmaReparamLinear;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/**
 * σReparam (arXiv 2303.06296): a language model without layer norm, warm-up and clipping of
 * gradients, with plain linear layers and with reparametrised ones, over a range of learning rates;
 * beside both, the plain model with all three. How widely the heads look is measured all along.
 */
@AutoService(Study.class)
public final class SigmaReparamStudy implements Study {
  /** How near to the usual recipe's loss counts as near. */
  private static final double NEAR = 1.05;

  /** What a training step may cost, as a multiple of the plain one. */
  private static final double COST = 1.10;

  /** Relative difference that float32 leaves between a model and its folded form. */
  private static final double ROUNDING = 1e-4;

  /** What float32 rounding may take from an entropy, in nats. */
  private static final double ENTROPY_ROUNDING = 1e-4;

  private static final int HEADS = 4;
  private static final int LOOKS = 20;

  private enum Way {
    PLAIN("plain", new Linear.Config(), false),
    SIGMA("σReparam", new SigmaReparamLinear.Config(), false),
    SIGMA_ONE(
        "σReparam, γ from 1", new SigmaReparamLinear.Config(SigmaReparamLinear.Gain.ONE), false),
    USUAL("layer norm, warm-up, clipping", new Linear.Config(), true);

    private final String title;
    private final Projection projection;
    private final boolean steadied;

    Way(String title, Projection projection, boolean steadied) {
      this.title = title;
      this.projection = projection;
      this.steadied = steadied;
    }
  }

  /**
   * A look at a model while it learns.
   *
   * @param step after which update
   * @param entropies of the heads [L][H], in nats
   * @param norms spectral norms of the heads' logits [L][H]
   * @param folded largest difference between its logits and those of its folded form, as a share of
   *     the largest logit
   */
  private record Look(
      long step, List<List<Double>> entropies, List<List<Double>> norms, double folded) {
    /** Mean entropy of all heads. */
    double entropy() {
      return flat(entropies).average().orElse(Double.NaN);
    }

    /** Entropy of the head that looks at the fewest tokens. */
    double narrowest() {
      return flat(entropies).min().orElse(Double.NaN);
    }

    private static DoubleStream flat(List<List<Double>> heads) {
      return heads.stream().flatMap(List::stream).mapToDouble(Double::doubleValue);
    }
  }

  /** A training with what was seen on the way. */
  private record Course(TrainingResult learned, List<Look> looks) {
    /** The least a value was while the weights were numbers. */
    double least(ToDoubleFunction<Look> value) {
      return looks.stream().mapToDouble(value).filter(Double::isFinite).min().orElse(Double.NaN);
    }
  }

  /**
   * Milliseconds of a training step, in turns.
   *
   * @param plain of the plain model, for each round
   * @param sigma of the reparametrised one
   */
  private record Steps(List<Double> plain, List<Double> sigma) {
    double ratio() {
      List<Double> ratios = new ArrayList<>();
      for (int i = 0; i < plain.size(); i++) {
        ratios.add(sigma.get(i) / plain.get(i));
      }
      return median(ratios);
    }
  }

  @Override
  public String slug() {
    return "sigma-reparam";
  }

  @Override
  public void run(ExperimentContext lab) {
    List<Double> rates =
        lab.scale().pick(List.of(1e-3, 0.3), List.of(1e-3, 4e-3, 1.6e-2, 6.4e-2), RATES_OF_PAPER);
    int seeds = lab.scale().pick(1, 2, 3);
    double frequencies = frequencies(lab.text());
    Map<Way, Map<Double, List<Course>>> all = new EnumMap<>(Way.class);
    for (Way way : Way.values()) {
      Map<Double, List<Course>> courses = new TreeMap<>();
      for (double rate : rates) {
        courses.put(rate, courses(lab, way, rate, seeds));
      }
      all.put(way, courses);
    }
    stability(lab, all, frequencies);
    bound(lab, all);
    folding(lab, Stream.of(Way.SIGMA, Way.SIGMA_ONE).map(all::get).toList());
    cost(lab);
    lab.note(
        "A training fails if its loss ceases to be a number, or ends above "
            + Check.number(frequencies)
            + " nats a byte, which knowing nothing but how frequent each byte is would give.");
    lab.note(
        "γ starts as the weight's spectral norm, as in the authors' code that the paper's language"
            + " models used; claims are judged for that. Their code for speech starts it at 1,"
            + " which is measured beside it.");
    lab.note(
        "The paper's models are larger and learn from other data; embeddings are not"
            + " reparametrised here, as the blocks' linear layers are. Rates are powers of four"
            + " times the usual rate, fixed before anything was measured.");
    lab.note(
        "Heads that may look at all tokens before them alike have an entropy of "
            + Check.number(AttentionEntropy.causalLowerBound(0, length(lab.scale())))
            + " nats on average over a sequence.");
  }

  private static final List<Double> RATES_OF_PAPER = List.of(2.5e-4, 1e-3, 4e-3, 1.6e-2, 6.4e-2);

  private static int length(Scale scale) {
    return scale.pick(16, 64, 512);
  }

  private static CausalLm.Config model(Scale scale, Way way) {
    return model(way, scale.pick(2, 4, 12), scale.pick(16, 64, 768), length(scale));
  }

  private static CausalLm.Config model(Way way, int layers, int width, int length) {
    return new CausalLm.Config()
        .withLength(length)
        .withStack(
            s ->
                s.layers(layers)
                    .width(width)
                    .position(new dev.jformer.position.LearnedPosition.Config()))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(HEADS, 0))
                    .norm(way.steadied ? new Norm.LayerNormConfig() : new Norm.NoNormConfig())
                    .projection(way.projection));
  }

  private static TrainingConfig training(Scale scale, Way way, double rate) {
    int steps = scale.pick(6, 400, 100_000);
    return new TrainingConfig()
        .with(
            t ->
                t.steps(steps)
                    .batch(scale.pick(4, 16, 32))
                    .learningRate(rate)
                    .schedule(
                        new Schedule(Schedule.Shape.COSINE, way.steadied ? steps / 10 : 0, 0.1))
                    .clip(way.steadied ? 1 : 0)
                    .evaluateEvery(Math.max(1, steps / LOOKS))
                    .checkpointEvery(steps));
  }

  private static List<Course> courses(ExperimentContext lab, Way way, double rate, int seeds) {
    List<Course> courses = new ArrayList<>();
    for (int seed = 1; seed <= seeds; seed++) {
      TrainingConfig training = training(lab.scale(), way, rate).withSeed(seed);
      courses.add(
          lab.measure(
              way.title + " at rate " + rate + ", seed " + seed,
              Course.class,
              progress -> {
                List<Look> looks = new ArrayList<>();
                LanguageTrial trial =
                    new LanguageTrial(
                        model(lab.scale(), way),
                        training,
                        lab.scale().pick(2, 20, 40),
                        (model, step, loss) -> looks.add(look(model, step, lab.text())));
                TrainingResult learned =
                    trial.run(lab.text(), (done, detail) -> progress.accept(done), null);
                return new Course(learned, List.copyOf(looks));
              }));
    }
    return courses;
  }

  private static Look look(CausalLm model, long step, TokenFile text) {
    List<Look> looks = new ArrayList<>();
    HeldOut.read(
        text,
        4,
        model.config().length(),
        1,
        batch -> {
          try (Scope scope = Scope.open()) {
            looks.add(
                new Look(
                    step,
                    lists(AttentionEntropy.entropies(model, batch.inputs())),
                    lists(AttentionEntropy.spectralNorms(model, batch.inputs())),
                    folded(model, batch.inputs())));
          }
        });
    return looks.get(0);
  }

  private static double folded(CausalLm model, Tensor ids) {
    try (CausalLm plain = Fold.fold(model)) {
      Tensor expected = model.logits(ids);
      double difference = plain.logits(ids).sub(expected).abs().max().item();
      return difference / expected.abs().max().item();
    }
  }

  private static List<List<Double>> lists(double[][] rows) {
    return Arrays.stream(rows).map(row -> Arrays.stream(row).boxed().toList()).toList();
  }

  /** Entropy of the held-out bytes' frequencies, in nats. */
  private static double frequencies(TokenFile text) {
    double[] counts = new double[256];
    HeldOut.read(
        text,
        64,
        64,
        Long.MAX_VALUE,
        batch -> {
          try (Scope scope = Scope.open()) {
            for (long id : batch.targets().toLongs()) {
              counts[(int) id]++;
            }
          }
        });
    double n = Arrays.stream(counts).sum();
    return Arrays.stream(counts).filter(c -> c > 0).map(c -> -c / n * Math.log(c / n)).sum();
  }

  private static boolean trains(List<Course> courses, double frequencies) {
    return courses.stream().allMatch(course -> course.learned().finalLoss() < frequencies);
  }

  private static double loss(List<Course> courses) {
    return TrainingResult.loss(courses.stream().map(Course::learned).toList());
  }

  private static double bestLoss(Map<Double, List<Course>> courses) {
    return courses.values().stream().mapToDouble(SigmaReparamStudy::loss).min().orElse(Double.NaN);
  }

  private static double mean(List<Course> courses, ToDoubleFunction<Course> value) {
    return courses.stream()
        .mapToDouble(value)
        .filter(v -> !Double.isNaN(v)) // diverged before the first look
        .average()
        .orElse(Double.NaN);
  }

  private static void stability(
      ExperimentContext lab, Map<Way, Map<Double, List<Course>>> all, double frequencies) {
    Map<Double, List<Course>> plain = all.get(Way.PLAIN);
    Map<Double, List<Course>> sigma = all.get(Way.SIGMA);
    double largest = 0;
    double failing = Double.NaN;
    for (Map.Entry<Double, List<Course>> entry : plain.entrySet()) {
      if (trains(entry.getValue(), frequencies)) {
        largest = entry.getKey();
      } else if (Double.isNaN(failing)) {
        failing = entry.getKey();
      }
    }
    double largestOfSigma =
        sigma.entrySet().stream()
            .filter(entry -> trains(entry.getValue(), frequencies))
            .mapToDouble(Map.Entry::getKey)
            .max()
            .orElse(0);
    lab.claim(
        "Without layer norm, warm-up and clipping, σReparam trains at learning rates at which the"
            + " plain model fails",
        "stability and robustness with respect to the choice of hyperparameters (abstract)",
        Check.above(
            "largest rate at which every seed of σReparam trains, against the plain model's,",
            largestOfSigma,
            largest),
        Double.isNaN(failing)
            ? "the plain model trains at all rates tried"
            : "the plain model first fails at " + Check.number(failing));
    double at = Double.isNaN(failing) ? ((TreeMap<Double, ?>) plain).lastKey() : failing;
    lab.claim(
        "Where the plain model fails its attention entropy collapses; that of σReparam stays higher",
        "σReparam prevents entropy collapse (title)",
        Check.above(
            "lowest mean entropy on the way at rate " + Check.number(at) + ", in nats,",
            mean(sigma.get(at), course -> course.least(Look::entropy)),
            mean(plain.get(at), course -> course.least(Look::entropy))),
        "of the narrowest head: "
            + Check.number(mean(sigma.get(at), course -> course.least(Look::narrowest)))
            + " against "
            + Check.number(mean(plain.get(at), course -> course.least(Look::narrowest))));
    lab.claim(
        "With σReparam alone a model learns about as well as with layer norm, warm-up and clipping"
            + " together, each at its best rate",
        "competitive performance without warm-up, weight decay, layer norm (abstract, of images)",
        Check.atMost(
            "loss as a multiple of the usual recipe's",
            bestLoss(sigma) / bestLoss(all.get(Way.USUAL)),
            NEAR));
    List<List<String>> rows = new ArrayList<>();
    for (Map.Entry<Way, Map<Double, List<Course>>> way : all.entrySet()) {
      for (Map.Entry<Double, List<Course>> entry : way.getValue().entrySet()) {
        List<Course> courses = entry.getValue();
        List<TrainingResult> learned = courses.stream().map(Course::learned).toList();
        rows.add(
            Table.row(
                way.getKey().title,
                entry.getKey(),
                TrainingResult.loss(learned),
                learned.stream().noneMatch(TrainingResult::diverged)
                    ? TrainingResult.spread(learned)
                    : "",
                learned.stream().filter(TrainingResult::diverged).count() + " of " + learned.size(),
                trains(courses, frequencies) ? "yes" : "no",
                mean(courses, course -> course.least(Look::entropy)),
                mean(courses, course -> course.least(Look::narrowest))));
      }
    }
    lab.table(
        new Table(
            "Training without layer norm, warm-up and clipping, and with all of them",
            List.of(
                "model",
                "learning rate",
                "loss (nats a byte)",
                "spread",
                "diverged",
                "trains",
                "lowest mean entropy (nats)",
                "lowest entropy of a head"),
            rows));
    lab.figure(
        new Figure(
            "Loss after training",
            "learning rate",
            "held-out loss",
            true,
            false,
            all.entrySet().stream().map(way -> losses(way.getKey(), way.getValue())).toList()));
    lab.figure(
        new Figure(
            "Mean attention entropy at rate " + Check.number(at) + ", first seed",
            "updates",
            "nats",
            false,
            false,
            all.entrySet().stream()
                .map(way -> curve(way.getKey().title, way.getValue().get(at), Look::entropy))
                .toList()));
    lab.figure(
        new Figure(
            "Entropy of each head at rate " + Check.number(at) + ", first seed",
            "updates",
            "nats",
            false,
            false,
            Stream.of(Way.PLAIN, Way.SIGMA)
                .flatMap(way -> heads(way, all.get(way).get(at)).stream())
                .toList()));
  }

  private static Figure.Series losses(Way way, Map<Double, List<Course>> courses) {
    List<Double> finite =
        courses.keySet().stream().filter(r -> Double.isFinite(loss(courses.get(r)))).toList();
    return Figure.Series.line(
        way.title, finite, finite.stream().map(rate -> loss(courses.get(rate))).toList());
  }

  private static Figure.Series curve(
      String name, List<Course> courses, ToDoubleFunction<Look> value) {
    List<Look> finite =
        courses.get(0).looks().stream()
            .filter(look -> Double.isFinite(value.applyAsDouble(look)))
            .toList();
    return Figure.Series.line(
        name,
        finite.stream().map(look -> (double) look.step()).toList(),
        finite.stream().map(value::applyAsDouble).toList());
  }

  private static List<Figure.Series> heads(Way way, List<Course> courses) {
    List<Figure.Series> series = new ArrayList<>();
    List<Look> looks = courses.get(0).looks();
    int layers = looks.isEmpty() ? 0 : looks.get(0).entropies().size();
    for (int layer : layers < 2 ? new int[] {0} : new int[] {0, layers - 1}) {
      for (int head = 0; head < HEADS; head++) {
        int l = layer;
        int h = head;
        series.add(
            curve(
                way.title + ", block " + (l + 1) + ", head " + (h + 1),
                courses,
                look -> look.entropies().get(l).get(h)));
      }
    }
    return series;
  }

  private static void bound(ExperimentContext lab, Map<Way, Map<Double, List<Course>>> all) {
    int length = length(lab.scale());
    double least = Double.POSITIVE_INFINITY;
    long heads = 0;
    for (Map<Double, List<Course>> courses : all.values()) {
      for (Course course : courses.values().stream().flatMap(List::stream).toList()) {
        for (Look look : course.looks()) {
          for (int layer = 0; layer < look.norms().size(); layer++) {
            for (int head = 0; head < HEADS; head++) {
              double norm = look.norms().get(layer).get(head);
              if (Double.isFinite(norm)) {
                double bound = AttentionEntropy.causalLowerBound(norm, length);
                least = Math.min(least, look.entropies().get(layer).get(head) - bound);
                heads++;
              }
            }
          }
        }
      }
    }
    lab.claim(
        "No head's entropy is below what the spectral norm of its logits allows",
        "theorem 3.1",
        Check.atLeast("least difference, in nats,", least, -ENTROPY_ROUNDING),
        heads + " heads looked at, of all models and times");
  }

  private static void folding(ExperimentContext lab, List<Map<Double, List<Course>>> sigma) {
    double largest =
        sigma.stream()
            .flatMap(courses -> courses.values().stream())
            .flatMap(List::stream)
            .flatMap(course -> course.looks().stream())
            .mapToDouble(Look::folded)
            .filter(Double::isFinite)
            .max()
            .orElse(Double.NaN);
    lab.claim(
        "Folded into plain weights the model is the same, so that σReparam costs nothing in use",
        "no cost at inference",
        Check.atMost("largest difference of logits, of the largest logit,", largest, ROUNDING));
  }

  private static void cost(ExperimentContext lab) {
    int[] widths =
        lab.scale().pick(new int[] {16}, new int[] {256, 512}, new int[] {256, 512, 768});
    List<List<String>> rows = new ArrayList<>();
    List<Check> checks = new ArrayList<>();
    for (int width : widths) {
      Steps steps =
          lab.measure(
              "time of a step, width " + width, Steps.class, () -> steps(lab.scale(), width));
      checks.add(Check.atMost("step at width " + width + ", of the plain,", steps.ratio(), COST));
      rows.add(Table.row(width, median(steps.plain()), median(steps.sigma()), steps.ratio()));
    }
    lab.claim(
        "A training step takes at most a tenth longer",
        "little overhead in training",
        Check.all(checks.toArray(Check[]::new)));
    lab.table(
        new Table(
            "Training step of 4 layers, float32, measured in turns",
            List.of("width", "plain (ms)", "σReparam (ms)", "ratio (median of rounds)"),
            rows));
  }

  private static Steps steps(Scale scale, int width) {
    int rounds = scale.pick(3, 21, 41);
    int length = scale.pick(16, 256, 256);
    List<Double> plain = new ArrayList<>();
    List<Double> sigma = new ArrayList<>();
    try (Step first = new Step(model(Way.PLAIN, 4, width, length));
        Step second = new Step(model(Way.SIGMA, 4, width, length))) {
      first.milliseconds();
      second.milliseconds();
      for (int round = 0; round < rounds; round++) {
        boolean plainFirst = round % 2 == 0;
        (plainFirst ? plain : sigma).add((plainFirst ? first : second).milliseconds());
        (plainFirst ? sigma : plain).add((plainFirst ? second : first).milliseconds());
      }
    }
    return new Steps(List.copyOf(plain), List.copyOf(sigma));
  }

  private static final class Step implements AutoCloseable {
    private final CausalLm model;
    private final AdamW optimizer;
    private final Tensor ids;

    Step(CausalLm.Config config) {
      Random.seed(1);
      model = config.build();
      optimizer = new AdamW(model, new AdamW.Config());
      ids = Tensor.randint(0, config.vocab(), 8, config.length());
    }

    double milliseconds() {
      long start = System.nanoTime();
      model.clearGrads();
      try (Scope scope = Scope.open()) {
        Tensor loss = model.loss(ids, ids);
        loss.backward();
        loss.item();
      }
      optimizer.clipGradients(1);
      optimizer.step(1e-3);
      return (System.nanoTime() - start) / 1e6;
    }

    @Override
    public void close() {
      optimizer.close();
      model.close();
    }
  }

  private static double median(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    return sorted[sorted.length / 2];
  }
}
