package dev.jformer.studies.compression;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

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
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.ParetoFront;
import dev.jformer.studies.trial.Small;
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
import java.util.function.DoubleConsumer;
import java.util.function.Predicate;
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

  /**
   * What a model costs and is worth.
   *
   * @param family of the survey
   * @param quality of the model
   * @param bytes of its weights in memory, before a kernel keeps a form of its own, as a share of
   *     the plain model's
   * @param flops of the matrix products of a pass, as a share of the plain model's
   * @param one seconds of a pass of one text, as a share of the plain model's
   * @param many the same of a batch
   */
  public record Outcome(
      String family, double quality, double bytes, double flops, double one, double many) {}

  /** Outcomes by what was done, that of the plain model first. */
  public record Outcomes(Map<String, Outcome> all) {}

  @Override
  public void run(ExperimentContext lab) {
    Measured<Outcome> sentences = sentences(lab);
    Measured<Outcome> language =
        Measured.of(
            lab.measure("language models", Outcomes.class, progress -> language(lab, progress))
                .all());
    report(lab, "all-MiniLM-L6-v2", "STS (Spearman x 100)", true, sentences);
    report(
        lab,
        "language models of bytes after " + steps(lab.scale()) + " updates",
        "loss (nats a byte)",
        false,
        language);
    claims(lab, sentences, language);
    lab.note(
        "Methods are applied at once and without training after it, those with settings at the ones"
            + " named in the code or their defaults: 'magnitude', 'random-prune' and 'n-m' leave half"
            + " of the weights, 'prune-neurons' three quarters of the hidden units, 'low-rank' and"
            + " 'dsformer' half of the bytes, 'zero-tprune' three quarters of the tokens at two"
            + " blocks. Operations are those of matrix products as they are executed; bytes those of"
            + " all weights, tables too. The Pareto front is that of quality, bytes and time of a"
            + " batch.");
  }

  // ---- Methods

  /** What can be done to any trained model of texts, with the family of each. */
  private static Map<String, String> compressions() {
    Map<String, String> families = new LinkedHashMap<>();
    families.put(PLAIN, "");
    String bits = "llm-int8; weight-int8; weight-int4; ptq; noisyquant; llm-fp4; denseshift";
    add(families, "quantization", bits);
    add(families, "pruning of weights", "magnitude; n-m; random-prune");
    add(families, "pruning of units", "prune-neurons; ifm");
    add(families, "factors", "low-rank; dsformer");
    add(families, "experts", "emoe");
    add(families, PAIRS, "magnitude, weight-int8; n-m, weight-int8; prune-neurons, llm-int8");
    add(families, PAIRS, "ifm, llm-int8; ifm, magnitude, weight-int8");
    return families;
  }

  /** The same, and what lets tokens of encoders leave. */
  private static Map<String, String> encoderCompressions() {
    Map<String, String> families = compressions();
    add(families, "pruning of tokens", "zero-tprune");
    add(families, PAIRS, "zero-tprune, llm-int8; zero-tprune, weight-int4");
    add(families, PAIRS, "zero-tprune, ifm, llm-int8");
    return families;
  }

  private static void add(Map<String, String> families, String family, String names) {
    Stream.of(names.split("; ")).forEach(name -> families.put(name, family));
  }

  /** The methods of a name, one after the other, by default with the settings of their types. */
  private static List<Compression> methods(Scale scale, String name) {
    Map<String, Compression> known = new LinkedHashMap<>(Configs.parts(Compression.class));
    known.put("llm-fp4", new LlmFp4().withSearch(scale.pick(2, 12, 100), 1, 256));
    known.put("random-prune", new RandomPruning(0.5, RandomPruning.Ratios.UNIFORM, 1));
    known.put("prune-neurons", new PruneNeurons(0.25, List.of(), new MagnitudeNeurons()));
    return name.equals(PLAIN) ? List.of() : Stream.of(name.split(", ")).map(known::get).toList();
  }

  // ---- Measuring

  private static Outcome compressed(Scale scale, Subject subject, String family, String name) {
    return subject.compressed(methods(scale, name), made -> outcome(scale, subject, family, made));
  }

  private static Outcome outcome(Scale scale, Subject subject, String family, Model made) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      double quality = subject.quality(made);
      Tensor one = subject.inputs(1);
      Tensor many = subject.inputs(scale.pick(2, 32, 32));
      int rounds = scale.pick(1, 7, 15);
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
    Scale scale = lab.scale();
    Map<String, Outcome> outcomes = new LinkedHashMap<>();
    try (TextPairs pairs = new TextPairs(scale, scale.pick(3, 75, 10_000))) {
      Subject subject = Subject.sentences(pairs, scale.pick(2, 64, 256));
      encoderCompressions()
          .forEach(
              (name, family) ->
                  outcomes.put(
                      name,
                      lab.measure(
                          "sentence encoder, " + name,
                          Outcome.class,
                          () -> compressed(scale, subject, family, name))));
    }
    return Measured.of(outcomes);
  }

  // ---- Language models

  private static int steps(Scale scale) {
    return scale.pick(2, 500, 20_000);
  }

  private static int batch(Scale scale) {
    return scale.pick(2, 16, 32);
  }

  private static Map<String, CausalLm.Config> designs(Scale scale) {
    int width = scale.pick(16, 128, 512);
    CausalLm.Config plain = Small.language(scale.pick(2, 3, 6), width, scale.pick(16, 128, 256), 4);
    CausalLm.Config half = plain.withStack(s -> s.width(width / 2));
    NestedMlp.Config nested =
        new NestedMlp.Config(
            Activation.GELU, 4, 0, new NestedMlp.Config().shares(), NestedMlp.TrainingMode.ALL);
    Map<String, CausalLm.Config> designs = new LinkedHashMap<>();
    designs.put(PLAIN, plain);
    designs.put(DISTILLED, half);
    designs.put(HALF, half);
    designs.put(ELASTIC, plain.withBlock(b -> b.ffn(nested)));
    designs.put(SHARED, plain.withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 1))));
    designs.put(FLOW, plain.withBlock(b -> b.mixer(new FlowAttention.Config())));
    designs.put(NARROW, plain.withBlock(b -> b.ffn(new Mlp.Config(Activation.GELU, 2, 0))));
    return designs;
  }

  private static CausalLm learned(
      ExperimentContext lab, CausalLm.Config config, CausalLm teacher, DoubleConsumer progress) {
    Random.seed(1);
    CausalLm model = config.build();
    LanguageModelling own = task(lab, model);
    Task task = teacher == null ? own : new Distillation(own, task(lab, teacher), 2, 0.5);
    int steps = steps(lab.scale());
    TrainingCurve.of(model, task, Small.training(steps, batch(lab.scale()), 1), progress);
    model.train(false);
    return model;
  }

  private static LanguageModelling task(ExperimentContext lab, CausalLm model) {
    return new LanguageModelling(model, lab.text(), batch(lab.scale()), 1, 1);
  }

  private static Outcomes language(ExperimentContext lab, DoubleConsumer progress) {
    Scale scale = lab.scale();
    Map<String, CausalLm.Config> designs = designs(scale);
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
      int batch = batch(scale);
      Subject subject =
          Subject.language(models.get(PLAIN), lab.text(), batch, 4, batch, scale.pick(1, 20, 100));
      return new Outcomes(outcomes(scale, subject, models));
    } finally {
      models.values().forEach(CausalLm::close);
    }
  }

  private static Map<String, Outcome> outcomes(
      Scale scale, Subject subject, Map<String, CausalLm> models) {
    Map<String, Outcome> all = new LinkedHashMap<>();
    compressions()
        .forEach((name, family) -> all.put(name, compressed(scale, subject, family, name)));
    for (String design : List.of(HALF, NARROW, SHARED, FLOW)) {
      all.put(design, outcome(scale, subject, "lightweight design", models.get(design)));
    }
    all.put(DISTILLED, outcome(scale, subject, "distillation", models.get(DISTILLED)));
    for (int granularity : List.of(0, 1, 2)) {
      try (Model part = new Extract(granularity).apply(models.get(ELASTIC), null)) {
        String name = "elastic, part " + (granularity + 1) + " of 4";
        all.put(name, outcome(scale, subject, "search", part));
      }
    }
    try (Model both = new LlmInt8().apply(models.get(DISTILLED), null)) {
      all.put("distilled, llm-int8", outcome(scale, subject, PAIRS, both));
    }
    return all;
  }

  // ---- Report

  private static Predicate<Outcome> front(Measured<Outcome> outcomes, boolean higher) {
    List<double[]> all = outcomes.arms().stream().map(arm -> costs(arm.first(), higher)).toList();
    return outcome -> ParetoFront.holds(costs(outcome, higher), all);
  }

  private static double[] costs(Outcome o, boolean higher) {
    return new double[] {higher ? -o.quality() : o.quality(), o.bytes(), o.many()};
  }

  private static void report(
      ExperimentContext lab,
      String model,
      String quality,
      boolean higher,
      Measured<Outcome> outcomes) {
    Predicate<Outcome> front = front(outcomes, higher);
    lab.table(
        outcomes.table(
            "What makes inference cheap: " + model,
            "method",
            fixed("family", Outcome::family),
            column(quality, Outcome::quality),
            column("bytes, share", Outcome::bytes),
            column("operations, share", Outcome::flops),
            column("times as fast, one text", o -> 1 / o.one()),
            column("times as fast, batch", o -> 1 / o.many()),
            fixed("on the Pareto front", o -> front.test(o) ? "yes" : "")));
    Measured<Outcome> best = outcomes.where(front);
    lab.figure(
        best.figure(
            "Pareto front by bytes: " + model,
            "bytes, share of the plain model's",
            quality,
            (o, name) -> Figure.Series.point(name, o.bytes(), o.quality())));
    lab.figure(
        best.figure(
            "Pareto front by time: " + model,
            "seconds of a batch, share of the plain model's",
            quality,
            (o, name) -> Figure.Series.point(name, o.many(), o.quality())));
  }

  private static void claims(
      ExperimentContext lab, Measured<Outcome> sentences, Measured<Outcome> language) {
    Outcome plain = sentences.first(PLAIN);
    Outcome int8 = sentences.first("llm-int8");
    Outcome pruned = sentences.first("magnitude");
    Outcome rounded = sentences.first("weight-int8");
    Outcome both = sentences.first("magnitude, weight-int8");
    lab.claim(
        "Quantization to 8 bits takes about a quarter of the bytes and loses hardly anything",
        "INT8: 4 times smaller at comparable accuracy (section on quantization)",
        PLAIN,
        Check.all(
            Check.atMost("share of the bytes", int8.bytes(), 0.3),
            Check.atLeast("share of the STS score", int8.quality() / plain.quality(), 0.99)));
    lab.claim(
        "Pruning and quantization stack: smaller than either, at no more than the sum of the losses",
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
            faster("times as fast, prune-neurons", sentences.first("prune-neurons")),
            faster("zero-tprune", sentences.first("zero-tprune"))));
    lab.claim(
        "A distilled student is better than one of its size that learns alone",
        "distillation lets a smaller network come near to its teacher",
        HALF,
        language.below("loss (nats a byte)", DISTILLED, HALF, Outcome::quality),
        "Equal updates; the student has a pass of the teacher more in each.");
    lab.claim(
        "Pairs of compressions are on the Pareto front of quality, bytes and time",
        "combining techniques of several families",
        Check.all(
            pairs("sentence encoder", sentences, true), pairs("language model", language, false)));
  }

  private static Check faster(String name, Outcome outcome) {
    return Check.above(name, 1 / outcome.many(), 1.05);
  }

  private static Check pairs(String name, Measured<Outcome> outcomes, boolean higher) {
    long count =
        outcomes.where(front(outcomes, higher)).arms().stream()
            .filter(arm -> arm.first().family().equals(PAIRS))
            .count();
    return Check.atLeast("pairs on the front, " + name, (double) count, 1);
  }
}
