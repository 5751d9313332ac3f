package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.factorize.DsFormer;
import dev.jformer.compress.factorize.DsFormer.Form;
import dev.jformer.compress.factorize.LowRank;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.nn.factorized.DenseSparseLinear;
import dev.jformer.nn.factorized.DenseSparseLinear.Execution;
import dev.jformer.nn.factorized.LowRankLinear;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.Sentiment;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;

/**
 * DSFormer (arXiv 2312.13211): all-MiniLM-L6-v2 with 2, 2.8 and 3.57 times fewer bytes in its
 * linear layers, as dense bases times sparse coefficients, beside low rank by SVD and N:M pruning:
 * at once (STS), and after learning a task in that form (SST-2); and what the products cost.
 */
@AutoService(Study.class)
public final class DsformerStudy implements Study {
  private static final List<Double> FACTORS = List.of(2.0, 2.8, 3.57);

  /** So many times fewer bytes than low rank's 2 is 40 % fewer and more. */
  private static final double LEAST = 3.57;

  private static final String DENSE = "dense";
  private static final String LOW_RANK = "low rank";
  private static final String FACTORED = "DSFormer";

  /** N:M patterns of at least the bytes of each factor, as far as there are. */
  private static final Map<Double, NmPruning> PATTERNS =
      Map.of(
          2.0, new NmPruning(1, 2),
          2.8, new NmPruning(3, 8),
          3.57, new NmPruning(2, 8));

  /** Words of the sentences that are learned from, at most. */
  private static final int WORDS = 15;

  /** Points that eight bits may cost, and what "within 1 %" means. */
  private static final double POINT = 1;

  /**
   * A model made smaller, without training.
   *
   * @param score of STS
   * @param smaller how many times fewer bytes its linear layers take
   * @param megabytes of the whole model
   * @param error of the matrices, the share of their squares that is lost; NaN if not known
   */
  private record AtOnce(double score, double smaller, double megabytes, double error) {}

  /**
   * A model that learned a task.
   *
   * @param right share of test sentences
   * @param loss on what was held out of the training sentences, in the form that was trained
   */
  private record Tuned(double right, double loss) {}

  /** Seconds of a pass, by numbers of tokens. */
  private record Times(List<String> names, List<List<Double>> seconds) {}

  @Override
  public String slug() {
    return "dsformer";
  }

  @Override
  public void run(ExperimentContext lab) {
    Map<String, AtOnce> atOnce = new LinkedHashMap<>();
    try (Encoders encoders = new Encoders(lab.scale())) {
      methods().forEach((name, method) -> atOnce.put(name, atOnce(lab, encoders, name, method)));
      Map<String, Tuned> tuned = tuning(lab, encoders);
      Times times = lab.measure("times of a layer", Times.class, () -> times(lab.scale()));
      report(lab, atOnce, tuned, times);
    }
  }

  private static Map<String, List<Compression>> methods() {
    Map<String, List<Compression>> methods = new LinkedHashMap<>();
    methods.put(DENSE, List.of());
    for (double factor : FACTORS) {
      methods.put(named(LOW_RANK, factor), List.of(new LowRank(factor)));
      methods.put(pruned(factor), List.of(PATTERNS.get(factor)));
      methods.put(named(FACTORED, factor), List.of(new DsFormer(factor)));
      methods.put(eightBits(factor), List.of(new DsFormer(factor), new WeightInt8()));
    }
    return methods;
  }

  private static String named(String method, double factor) {
    return method + ", " + times(factor);
  }

  private static String times(double factor) {
    return String.valueOf(factor).replace(".0", "") + "x";
  }

  private static String eightBits(double factor) {
    return named(FACTORED, factor) + ", 8 bits";
  }

  private static String pruned(double factor) {
    NmPruning pattern = PATTERNS.get(factor);
    return pattern.keep() + ":" + pattern.of();
  }

  // ---- At once

  /** The encoder and what was made of it, each made when it is first wanted. */
  private static final class Encoders implements AutoCloseable {
    private final Scale scale;
    private final Map<List<Compression>, Encoder> made = new LinkedHashMap<>();
    private TextPairs pairs;

    Encoders(Scale scale) {
      this.scale = scale;
    }

    TextPairs pairs() {
      if (pairs == null) {
        pairs = new TextPairs(scale, 120);
      }
      return pairs;
    }

    Encoder of(List<Compression> methods, DoubleConsumer progress) {
      if (methods.isEmpty()) {
        return pairs().model();
      }
      Encoder known = made.get(methods);
      if (known == null) {
        int last = methods.size() - 1;
        Encoder source = of(methods.subList(0, last), progress);
        known = (Encoder) methods.get(last).apply(source, null, progress);
        made.put(methods, known);
      }
      return known;
    }

    @Override
    public void close() {
      made.values().forEach(Encoder::close);
      if (pairs != null) {
        pairs.close();
      }
    }
  }

  private static AtOnce atOnce(
      ExperimentContext lab, Encoders encoders, String name, List<Compression> methods) {
    return lab.measure(
        name + ", at once",
        AtOnce.class,
        progress -> {
          Encoder model = encoders.of(methods, done -> progress.accept(0.8 * done));
          Encoder plain = encoders.of(List.of(), progress);
          Map<String, Linear> matrices = matrices(plain, encoders.of(low(), progress));
          double before = 0;
          double rest = bytes(plain);
          for (Linear linear : matrices.values()) {
            before += 4.0 * linear.weight().value().elements();
          }
          rest -= before;
          boolean rounded = methods.size() > 1; // the table of words too
          return new AtOnce(
              encoders.pairs().score(model),
              rounded ? Double.NaN : before / (bytes(model) - rest),
              bytes(model) / 1e6,
              error(model, matrices));
        });
  }

  private static List<Compression> low() {
    return List.of(new LowRank(FACTORS.get(0)));
  }

  /** The layers of a plain model that methods take the place of. */
  private static Map<String, Linear> matrices(Encoder plain, Encoder lowRank) {
    Map<String, Linear> matrices = new LinkedHashMap<>();
    Map<String, Module> modules = plain.modules();
    lowRank
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof LowRankLinear) {
                matrices.put(name, (Linear) modules.get(name));
              }
            });
    return matrices;
  }

  private static double bytes(Encoder model) {
    return model.parameters().values().stream()
        .mapToDouble(p -> (double) p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  /** The share of the squares that is lost, of all matrices together. */
  private static double error(Encoder model, Map<String, Linear> matrices) {
    double[] sums = new double[2];
    Map<String, Module> modules = model.modules();
    matrices.forEach(
        (name, linear) -> {
          try (Scope scope = Scope.open();
              Mode mode = Autograd.noGrad()) {
            Tensor weight = linear.weight().value();
            long in = weight.size(1);
            Tensor ones = Tensor.ones(in, in);
            Tensor identity = ones.tril(0).sub(ones.tril(-1));
            Layer layer = (Layer) modules.get(name);
            Tensor bias = layer.forward(Tensor.zeros(1, in));
            Tensor made = layer.forward(identity).sub(bias).t();
            sums[0] += weight.sub(made).square().sum().item();
            sums[1] += weight.square().sum().item();
          }
        });
    return sums[0] / sums[1];
  }

  // ---- Learning a task

  private static Map<String, Tuned> tuning(ExperimentContext lab, Encoders encoders) {
    Map<String, List<Compression>> variants = new LinkedHashMap<>();
    variants.put(DENSE, List.of());
    for (double factor : FACTORS) {
      variants.put(named(LOW_RANK, factor), List.of(new LowRank(factor)));
      variants.put(named(FACTORED, factor), List.of(new DsFormer(factor, Form.TRAINING)));
    }
    variants.put(fixed(), List.of(new DsFormer(LEAST)));
    variants.put(pruned(2), List.of(PATTERNS.get(2.0)));
    variants.put(pruned(LEAST), List.of(PATTERNS.get(LEAST)));
    Map<String, Tuned> tuned = new LinkedHashMap<>();
    variants.forEach(
        (name, methods) ->
            tuned.put(
                name,
                lab.measure(
                    name + ", tuned",
                    Tuned.class,
                    progress -> tune(lab.scale(), encoders.of(methods, d -> {}), progress))));
    return tuned;
  }

  private static String fixed() {
    return named(FACTORED, LEAST) + ", places fixed";
  }

  private static Tuned tune(Scale scale, Encoder pretrained, DoubleConsumer progress) {
    Sentiment sentiment = new Sentiment(scale, WORDS);
    int steps = scale.pick(2, 80, 1500);
    int batch = scale.pick(4, 16, 32);
    TrainingConfig training = Small.tuning(steps, batch, scale.pick(1e-3, 2e-4, 1e-4), 1);
    try (Encoder model = sentiment.classifier(pretrained, 1)) {
      TrainingCurve course =
          TrainingCurve.of(model, sentiment.task(model, batch, 1), training, progress);
      model.train(false);
      return new Tuned(judged(sentiment, model), course.last());
    }
  }

  /** What was trained with all coefficients is judged as it is stored. */
  private static double judged(Sentiment sentiment, Encoder model) {
    Projection projection = model.config().projection();
    if (projection.equals(projection.folded())) {
      return sentiment.right(model);
    }
    try (Model folded = new DsFormer().apply(model, null)) {
      return sentiment.right((Encoder) folded);
    }
  }

  // ---- Time

  private static List<Integer> tokens(Scale scale) {
    return scale.pick(List.of(1, 8), List.of(1, 128, 2048), List.of(1, 128, 2048));
  }

  private static Times times(Scale scale) {
    int in = scale.pick(64, 384, 768);
    Map<String, Projection> parts = new LinkedHashMap<>();
    parts.put(DENSE, new Linear.Config());
    for (double factor : FACTORS) {
      DenseSparseLinear.Config stored = new DenseSparseLinear.Config(factor);
      parts.put(named(LOW_RANK, factor), new LowRankLinear.Config(factor));
      parts.put(named(FACTORED, factor) + ", by factors", stored.withExecution(Execution.FACTORED));
      parts.put(named(FACTORED, factor) + ", matrix made in each pass", stored);
      parts.put(named(FACTORED, factor) + ", matrix kept", stored.withExecution(Execution.DENSE));
    }
    parts.put("1:2, matrix made in each pass", new SparseLinear.Config(1, 2));
    Random.seed(1);
    List<Layer> layers = new ArrayList<>();
    parts.values().forEach(p -> layers.add(p.build(in, 4L * in, true, Initializer.normal(0.02))));
    List<List<Double>> seconds = new ArrayList<>();
    try (Mode mode = Autograd.noGrad()) {
      for (int tokens : tokens(scale)) {
        Tensor x = Tensor.randn(tokens, in);
        List<Runnable> work = new ArrayList<>();
        layers.forEach(layer -> layer.train(false));
        layers.forEach(layer -> work.add(() -> layer.forward(x)));
        seconds.add(InterleavedTimer.seconds(work, 3, scale.pick(3, 15, 15)));
      }
    } finally {
      layers.forEach(Layer::close);
    }
    return new Times(List.copyOf(parts.keySet()), seconds);
  }

  // ---- What was found

  private static void report(
      ExperimentContext lab, Map<String, AtOnce> atOnce, Map<String, Tuned> tuned, Times times) {
    claims(lab, atOnce, tuned);
    List<List<String>> rows = new ArrayList<>();
    atOnce.forEach(
        (name, a) ->
            rows.add(Table.row(name, a.score(), 100 * a.error(), a.smaller(), a.megabytes())));
    lab.table(
        new Table(
            "all-MiniLM-L6-v2, nothing trained",
            List.of(
                "",
                "STS (Spearman x 100)",
                "squares of the matrices lost (%)",
                "times fewer bytes in them",
                "MB of the model"),
            rows));
    List<List<String>> learned = new ArrayList<>();
    tuned.forEach((name, t) -> learned.add(Table.row(name, 100 * t.right(), t.loss())));
    lab.table(
        new Table(
            "SST-2 after " + lab.scale().pick(2, 80, 1500) + " updates, made smaller before",
            List.of("", "test sentences right (%)", "loss on those held out"),
            learned));
    List<String> columns = new ArrayList<>(List.of(""));
    tokens(lab.scale()).forEach(n -> columns.add(n + " tokens"));
    List<List<String>> relative = new ArrayList<>();
    for (int i = 0; i < times.names().size(); i++) {
      List<Object> row = new ArrayList<>(List.of(times.names().get(i)));
      for (List<Double> each : times.seconds()) {
        row.add(each.get(i) / each.get(0));
      }
      relative.add(Table.row(row.toArray()));
    }
    lab.table(new Table("Time of a layer, times the dense one's", columns, relative));
    List<Figure.Series> curves = new ArrayList<>();
    for (String method : List.of(LOW_RANK, FACTORED)) {
      curves.add(
          Figure.Series.line(
              method,
              FACTORS,
              FACTORS.stream().map(f -> atOnce.get(named(method, f)).score()).toList()));
    }
    for (double factor : FACTORS) {
      AtOnce pattern = atOnce.get(pruned(factor));
      curves.add(Figure.Series.point(pruned(factor), pattern.smaller(), pattern.score()));
    }
    lab.figure(
        new Figure(
            "Agreement with people, nothing trained",
            "times fewer bytes in the linear layers",
            "Spearman x 100",
            false,
            false,
            curves));
    lab.note(
        "Bytes are those of the linear layers in the blocks, places of coefficients included. 3:8"
            + " patterns keep 2.46 times fewer, more bytes than DSFormer's 2.8, as 1:2 and 2:8 have"
            + " a little more than those beside them. DSFormer and low rank are tuned in the form"
            + " that is stored, but for all of DSFormer's coefficients, of which a pass uses the"
            + " largest; tested is what is stored. One seed; sentences of at most "
            + WORDS
            + " words are learned from.");
    lab.note(
        "By factors, inputs are multiplied with the sparse coefficients by the engine's product of"
            + " CSR matrices. Products that skip zeros gain nothing on this CPU; as fast as a dense"
            + " layer is the matrix that is kept, which then takes its memory.");
  }

  private static void claims(
      ExperimentContext lab, Map<String, AtOnce> atOnce, Map<String, Tuned> tuned) {
    List<Check> ranks = new ArrayList<>();
    List<Check> patterns = new ArrayList<>();
    List<Check> learned = new ArrayList<>();
    List<Check> bits = new ArrayList<>();
    for (double factor : FACTORS) {
      double score = atOnce.get(named(FACTORED, factor)).score();
      String what = "STS at " + times(factor);
      ranks.add(Check.above(what, score, atOnce.get(named(LOW_RANK, factor)).score()));
      patterns.add(
          Check.above(
              what + " beside " + pruned(factor), score, atOnce.get(pruned(factor)).score()));
      bits.add(
          Check.atLeast(
              what + " and 8 bits", atOnce.get(eightBits(factor)).score(), score - POINT));
      learned.add(
          Check.above(
              "right at " + times(factor) + " (%)",
              right(tuned, named(FACTORED, factor)),
              right(tuned, named(LOW_RANK, factor))));
    }
    lab.claim(
        "Without training, DSFormer keeps more than low rank at equal bytes",
        "stronger than low rank at 2x, 2.8x and 3.57x",
        all(ranks));
    lab.claim(
        "Without training, it keeps more than N:M patterns of no fewer bytes",
        "better than semi-structured sparsity",
        all(patterns));
    lab.claim(
        "With 44 % fewer bytes it keeps as much as low rank",
        "up to 40 % better compression than low rank",
        Check.atLeast(
            "STS at 3.57x",
            atOnce.get(named(FACTORED, LEAST)).score(),
            atOnce.get(named(LOW_RANK, 2)).score()));
    lab.claim(
        "Eight-bit weights go on top of DSFormer",
        "up to 50 % more compression on top of quantized models",
        all(bits));
    lab.claim(
        "Having learned a task, DSFormer is better than low rank at equal bytes",
        "higher on GLUE at 2x, 2.8x and 3.57x",
        all(learned));
    lab.claim(
        "Having learned a task, DSFormer is better than N:M patterns",
        "better than semi-structured sparsity on GLUE",
        Check.all(
            Check.above(
                "right at 2x beside 1:2 (%)",
                right(tuned, named(FACTORED, 2)), right(tuned, pruned(2))),
            Check.above(
                "right at 3.57x beside 2:8 (%)",
                right(tuned, named(FACTORED, LEAST)), right(tuned, pruned(LEAST)))));
    lab.claim(
        "DSFormer at 2.8x is within 1 % of the dense model",
        "within about 1 % of BERT-base on GLUE at 2.8x",
        Check.atLeast(
            "right (%)", right(tuned, named(FACTORED, 2.8)), right(tuned, DENSE) - POINT));
    lab.claim(
        "Choosing coefficients in training (STF) is better than fixed ones",
        "STF above conventional optimization",
        Check.above(
            "right at 3.57x (%)", right(tuned, named(FACTORED, LEAST)), right(tuned, fixed())));
  }

  private static Check all(List<Check> checks) {
    return Check.all(checks.toArray(Check[]::new));
  }

  private static double right(Map<String, Tuned> tuned, String name) {
    return 100 * tuned.get(name).right();
  }
}
