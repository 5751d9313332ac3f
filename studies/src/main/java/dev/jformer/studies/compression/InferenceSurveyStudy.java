package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;
import static dev.jformer.studies.Column.named;

import com.google.auto.service.AutoService;
import dev.jformer.compress.Compression;
import dev.jformer.compress.experts.Extract;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.config.Configs;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.Small.Size;
import dev.jformer.studies.trial.Subject;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Distillation;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Task;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.DoubleConsumer;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * The families of the survey of cheap inference (arXiv 2307.07982), quantization, pruning,
 * distillation, search and lightweight design, in one table: every method that there is here, and
 * pairs that stack, on all-MiniLM-L6-v2 as it was published and on a language model trained here.
 */
@AutoService(Study.class)
public final class InferenceSurveyStudy implements Study {
  private static final String PLAIN = "as it is";
  private static final String DISTILLED = "half the width, distilled";
  private static final String HALF = "half the width";
  private static final String NARROW = "perceptron of half the units";
  private static final String SHARED = "keys and values of one head";
  private static final String FLOW = "flow attention";
  private static final String ELASTIC = "elastic";
  private static final String PAIRS = "pairs";

  /** Compressions that are applied one after the other, and the survey's family of them. */
  private record Method(String family, List<Compression> steps) {}

  /**
   * What a model is worth, and what it costs as shares of the plain model's.
   *
   * @param bytes of its weights in memory, before a kernel keeps a form of its own
   * @param flops of the matrix products of a pass
   * @param one seconds of a pass of one text; {@code many} of a batch
   */
  private record Outcome(
      String family, double quality, double bytes, double flops, double one, double many) {}

  /** Models of one kind under all methods. */
  private record Models(String name, String quality, boolean higher, Measured<Outcome> outcomes) {
    /** Those that no other beats in quality, bytes and time. */
    Measured<Outcome> front() {
      return outcomes.front(
          o -> higher ? -o.quality() : o.quality(), Outcome::bytes, Outcome::many);
    }

    Figure front(String by, String x, ToDoubleFunction<Outcome> cost) {
      String title = "Pareto front by " + by + ": " + name;
      return front()
          .figure(
              title,
              x,
              quality,
              (o, method) -> Figure.Series.point(method, cost.applyAsDouble(o), o.quality()));
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Models sentences = new Models("all-MiniLM-L6-v2", "STS (Spearman x 100)", true, sentences(lab));
    Models language =
        new Models(
            "language models of bytes after " + steps(lab) + " updates",
            "loss (nats a byte)",
            false,
            lab.measureTogether(
                "language models", Outcome.class, progress -> language(lab, progress)));
    report(lab, sentences);
    report(lab, language);
    claims(lab, sentences, language);
    lab.note(
        "Methods are applied at once, without training after it. 'magnitude', 'random-prune' and"
            + " 'n-m' leave half of the weights, 'prune-neurons' three quarters of the hidden"
            + " units, 'low-rank' and 'dsformer' half of the bytes, 'zero-tprune' three quarters of"
            + " the tokens at two blocks. Operations are those of matrix products as they are"
            + " executed; bytes those of all weights. The Pareto front is that of quality, bytes"
            + " and time of a batch.");
  }

  /** What can be done to a trained model of texts; to encoders more, whose tokens may leave. */
  private static Arms<Method> methods(ExperimentContext lab, boolean encoder) {
    Map<String, Compression> known = new LinkedHashMap<>(Configs.parts(Compression.class));
    known.put("llm-fp4", new LlmFp4().withSearch(lab.pick(2, 12, 100), 1, 256));
    known.put("random-prune", new RandomPruning(0.5, RandomPruning.Ratios.UNIFORM, 1));
    known.put("prune-neurons", new PruneNeurons(0.25, List.of(), new MagnitudeNeurons()));
    Map<String, Method> methods = new LinkedHashMap<>(Map.of(PLAIN, new Method("", List.of())));
    BiConsumer<String, String> add =
        (family, names) ->
            Stream.of(names.split("; "))
                .forEach(
                    name ->
                        methods.put(
                            name,
                            new Method(
                                family, Stream.of(name.split(", ")).map(known::get).toList())));
    add.accept(
        "quantization", "llm-int8; weight-int8; weight-int4; ptq; noisyquant; llm-fp4; denseshift");
    add.accept("pruning of weights", "magnitude; n-m; random-prune");
    add.accept("pruning of units", "prune-neurons; ifm");
    add.accept("factors", "low-rank; dsformer");
    add.accept("experts", "emoe");
    add.accept(PAIRS, "magnitude, weight-int8; n-m, weight-int8; prune-neurons, llm-int8");
    add.accept(PAIRS, "ifm, llm-int8; ifm, magnitude, weight-int8");
    if (encoder) {
      add.accept("pruning of tokens", "zero-tprune");
      add.accept(PAIRS, "zero-tprune, llm-int8; zero-tprune, weight-int4");
      add.accept(PAIRS, "zero-tprune, ifm, llm-int8");
    }
    return Arms.of(methods);
  }

  private static Outcome outcome(
      ExperimentContext lab, Subject subject, Model model, Method method) {
    return subject.compressed(
        model, method.steps(), made -> outcome(lab, subject, method.family(), made));
  }

  private static Outcome outcome(
      ExperimentContext lab, Subject subject, String family, Model made) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      double quality = subject.quality(made);
      Tensor one = subject.inputs(1);
      Tensor many = subject.inputs(lab.pick(2, 32, 32));
      int rounds = lab.pick(1, 7, 15);
      return new Outcome(
          family,
          quality,
          (double) made.parameterBytes() / subject.model().parameterBytes(),
          Flops.of(() -> subject.forward(made, one))
              / Flops.of(() -> subject.forward(subject.model(), one)),
          subject.timesAsLong(made, one, 3 * rounds),
          subject.timesAsLong(made, many, rounds));
    }
  }

  private static Measured<Outcome> sentences(ExperimentContext lab) {
    try (TextPairs pairs = new TextPairs(lab.scale(), lab.pick(3, 75, 10_000))) {
      Subject subject = Subject.sentences(pairs, lab.pick(2, 64, 256));
      return methods(lab, true)
          .measure(
              lab,
              "sentence encoder, ",
              Outcome.class,
              method -> outcome(lab, subject, pairs.model(), method));
    }
  }

  private static int steps(ExperimentContext lab) {
    return lab.pick(2, 500, 20_000);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(2, 16, 32);
  }

  private static Arms<CausalLm.Config> designs(ExperimentContext lab) {
    CausalLm.Config plain =
        Small.language(
            lab.pick(new Size(2, 16, 16, 4), new Size(3, 128, 128, 4), new Size(6, 512, 256, 4)));
    CausalLm.Config half = plain.withStack(s -> s.width(s.width() / 2));
    NestedMlp.Config nested =
        new NestedMlp.Config(
            Activation.GELU, 4, 0, new NestedMlp.Config().shares(), NestedMlp.TrainingMode.ALL);
    return Arms.of(PLAIN, plain)
        .arm(DISTILLED, half)
        .arm(HALF, half)
        .arm(ELASTIC, plain.withBlock(b -> b.ffn(nested)))
        .arm(SHARED, plain.withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 1))))
        .arm(FLOW, plain.withBlock(b -> b.mixer(new FlowAttention.Config())))
        .arm(NARROW, plain.withBlock(b -> b.ffn(new Mlp.Config(Activation.GELU, 2, 0))));
  }

  private static CausalLm learned(
      ExperimentContext lab, CausalLm.Config config, CausalLm teacher, DoubleConsumer progress) {
    Random.seed(1);
    CausalLm model = config.build();
    LanguageModelling own = task(lab, model);
    Task task = teacher == null ? own : new Distillation().of(own, teacher);
    TrainingCurve.of(model, task, Small.training(steps(lab), batch(lab), 1), progress);
    model.train(false);
    return model;
  }

  private static LanguageModelling task(ExperimentContext lab, CausalLm model) {
    return new LanguageModelling(model, lab.text(), batch(lab), 1, 1);
  }

  private static Map<String, Outcome> language(ExperimentContext lab, DoubleConsumer progress) {
    Map<String, CausalLm.Config> designs = designs(lab).settings();
    Map<String, CausalLm> models = new LinkedHashMap<>();
    try {
      designs.forEach(
          (name, config) ->
              models.put(
                  name,
                  learned(
                      lab,
                      config,
                      name.equals(DISTILLED) ? models.get(PLAIN) : null,
                      done -> progress.accept((models.size() + done) / designs.size()))));
      return outcomes(lab, models);
    } finally {
      models.values().forEach(CausalLm::close);
    }
  }

  private static Map<String, Outcome> outcomes(
      ExperimentContext lab, Map<String, CausalLm> models) {
    int batch = batch(lab);
    Subject subject =
        Subject.language(models.get(PLAIN), lab.text(), batch, 4, batch, lab.pick(1, 20, 100));
    CausalLm plain = models.get(PLAIN);
    Map<String, Outcome> all =
        methods(lab, false).map((name, method) -> outcome(lab, subject, plain, method));
    for (String design : List.of(HALF, NARROW, SHARED, FLOW)) {
      all.put(design, outcome(lab, subject, "lightweight design", models.get(design)));
    }
    CausalLm distilled = models.get(DISTILLED);
    all.put(DISTILLED, outcome(lab, subject, "distillation", distilled));
    for (int part : List.of(0, 1, 2)) {
      Method extract = new Method("search", List.of(new Extract(part)));
      String name = "elastic, part " + (part + 1) + " of 4";
      all.put(name, outcome(lab, subject, models.get(ELASTIC), extract));
    }
    Method int8 = new Method(PAIRS, List.of(new LlmInt8()));
    all.put("distilled, llm-int8", outcome(lab, subject, distilled, int8));
    return all;
  }

  private static void report(ExperimentContext lab, Models models) {
    List<String> front = models.front().names();
    lab.table(
        models
            .outcomes()
            .table(
                "What makes inference cheap: " + models.name(),
                "method",
                fixed("family", Outcome::family),
                column(models.quality(), Outcome::quality),
                column("bytes, share", Outcome::bytes),
                column("operations, share", Outcome::flops),
                column("times as fast, one text", o -> 1 / o.one()),
                column("times as fast, batch", o -> 1 / o.many()),
                named("on the Pareto front", name -> front.contains(name) ? "yes" : "")));
    lab.figure(models.front("bytes", "bytes, share of the plain model's", Outcome::bytes));
    lab.figure(
        models.front("time", "seconds of a batch, share of the plain model's", Outcome::many));
  }

  private static void claims(ExperimentContext lab, Models sentences, Models language) {
    Measured<Outcome> encoders = sentences.outcomes();
    Outcome plain = encoders.first(PLAIN);
    Outcome int8 = encoders.first("llm-int8");
    Outcome pruned = encoders.first("magnitude");
    Outcome rounded = encoders.first("weight-int8");
    Outcome both = encoders.first("magnitude, weight-int8");
    lab.claim(
        "Quantization to 8 bits takes about a quarter of the bytes and loses hardly anything",
        "INT8: 4 times smaller at comparable accuracy (section on quantization)",
        PLAIN,
        Check.all(
            Check.atMost("share of the bytes", int8.bytes(), 0.3),
            Check.atLeast("share of the STS score", int8.quality() / plain.quality(), 0.99)));
    lab.claim(
        "Pruning and quantization stack: smaller than either, at no more than the sum of the"
            + " losses",
        "techniques are complementary and can be combined",
        PLAIN,
        Check.all(
            Check.below(
                "bytes as a share of the smaller of both",
                both.bytes() / Math.min(pruned.bytes(), rounded.bytes()),
                1),
            Check.atMost(
                "loss (points of STS)",
                plain.quality() - both.quality(),
                Math.max(0, plain.quality() - pruned.quality())
                    + Math.max(0, plain.quality() - rounded.quality()))));
    lab.claim(
        "Pruning single weights gains no time on this processor, leaving out units or tokens does",
        "unstructured sparsity needs hardware for it; structured pruning runs on any",
        "magnitude",
        Check.all(
            Check.atMost("times as fast, magnitude", 1 / pruned.many(), 1.05),
            faster("times as fast, prune-neurons", encoders.first("prune-neurons")),
            faster("zero-tprune", encoders.first("zero-tprune"))));
    lab.claim(
        "A distilled student is better than one of its size that learns alone",
        "distillation lets a smaller network come near to its teacher",
        HALF,
        language.outcomes().below("loss (nats a byte)", DISTILLED, HALF, Outcome::quality),
        "Equal updates; the student has a pass of the teacher more in each.");
    lab.claim(
        "Pairs of compressions are on the Pareto front of quality, bytes and time",
        "combining techniques of several families",
        Check.all(pairs("sentence encoder", sentences), pairs("language model", language)));
  }

  private static Check faster(String name, Outcome outcome) {
    return Check.above(name, 1 / outcome.many(), 1.05);
  }

  private static Check pairs(String name, Models models) {
    double count = models.front().all(outcome -> outcome.family().equals(PAIRS) ? 1 : 0).sum();
    return Check.atLeast("pairs on the front, " + name, count, 1);
  }
}
