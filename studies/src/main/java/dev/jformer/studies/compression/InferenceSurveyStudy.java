package dev.jformer.studies.compression;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.experts.Emoe;
import dev.jformer.compress.experts.Extract;
import dev.jformer.compress.factorize.DsFormer;
import dev.jformer.compress.factorize.LowRank;
import dev.jformer.compress.neurons.Ifm;
import dev.jformer.compress.neurons.MagnitudeNeurons;
import dev.jformer.compress.neurons.PruneNeurons;
import dev.jformer.compress.prune.Magnitude;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.compress.prune.RandomPruning;
import dev.jformer.compress.prune.TokenPruning;
import dev.jformer.compress.quantize.DenseShift;
import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.compress.quantize.LlmInt8;
import dev.jformer.compress.quantize.NoisyQuant;
import dev.jformer.compress.quantize.Ptq;
import dev.jformer.compress.quantize.WeightInt4;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.NestedMlp;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.linear.FlowAttention;
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
import dev.jformer.studies.evidence.ParetoFront;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TextPairs;
import dev.jformer.studies.trial.TrainingCurve;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Classifying;
import dev.jformer.train.Distillation;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Task;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The families of the survey of cheap inference (arXiv 2307.07982), quantization, pruning,
 * distillation, search and lightweight design, in one table: every method that there is here, and
 * pairs that stack, on all-MiniLM-L6-v2 as it was published and on a language model trained here.
 */
@AutoService(Study.class)
public final class InferenceSurveyStudy implements Study {
  private static final String PLAIN = "as it is";

  /**
   * Something that makes a model cheap.
   *
   * @param family of the survey
   * @param methods one after the other
   */
  private record Way(String family, List<Compression> methods) {
    Way(String family, Compression... methods) {
      this(family, List.of(methods));
    }

    String name() {
      return methods.isEmpty()
          ? PLAIN
          : methods.stream().map(Compression::type).collect(Collectors.joining(", "));
    }
  }

  /**
   * What a model costs and is worth.
   *
   * @param family of the survey
   * @param name what was done
   * @param quality of the model
   * @param bytes of its weights in memory, before a kernel keeps a form of its own
   * @param flops of the matrix products of a pass, as a share of the plain model's
   * @param one seconds of a pass of one text, as a share of the plain model's
   * @param many the same of a batch
   */
  public record Outcome(
      String family,
      String name,
      double quality,
      double bytes,
      double flops,
      double one,
      double many) {}

  /** Outcomes, that of the plain model first. */
  public record Outcomes(List<Outcome> list) {
    Outcome plain() {
      return list.get(0);
    }

    Outcome of(String name) {
      return list.stream().filter(o -> o.name().equals(name)).findFirst().orElseThrow();
    }
  }

  /** What methods are tried on. */
  private interface Subject {
    Model model();

    double quality(Model model);

    Tensor texts(int count);

    void pass(Model model, Tensor texts);

    CalibrationData calibration();
  }

  @Override
  public String slug() {
    return "inference-survey";
  }

  @Override
  public void run(ExperimentContext lab) {
    Outcomes sentences = sentences(lab);
    Outcomes language =
        lab.measure("language models", Outcomes.class, progress -> language(lab, progress));
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
            + " all weights, tables too. * marks the Pareto front of quality, bytes and time of"
            + " a batch.");
  }

  // ---- Ways

  /** What can be done to any trained model of texts. */
  private static List<Way> surgeries(Scale scale) {
    String bits = "quantization";
    String pruning = "pruning of weights";
    String units = "pruning of units";
    LlmFp4 fp4 = new LlmFp4();
    return List.of(
        new Way("", List.of()),
        new Way(bits, new LlmInt8()),
        new Way(bits, new WeightInt8()),
        new Way(bits, new WeightInt4()),
        new Way(bits, new Ptq()),
        new Way(bits, new NoisyQuant()),
        new Way(
            bits,
            new LlmFp4(
                fp4.weightBits(),
                fp4.activationBits(),
                fp4.kind(),
                fp4.weightExponent(),
                fp4.activationExponent(),
                scale.pick(2, 12, 100),
                1,
                256)),
        new Way(bits, new DenseShift()),
        new Way(pruning, new Magnitude()),
        new Way(pruning, new NmPruning(2, 4)),
        new Way(pruning, new RandomPruning(0.5, RandomPruning.Ratios.UNIFORM, 1)),
        new Way(units, new PruneNeurons(0.25, List.of(), new MagnitudeNeurons())),
        new Way(units, new Ifm()),
        new Way("factors", new LowRank(2)),
        new Way("factors", new DsFormer(2)),
        new Way("experts", new Emoe()),
        new Way("pairs", new Magnitude(), new WeightInt8()),
        new Way("pairs", new NmPruning(2, 4), new WeightInt8()),
        new Way("pairs", new PruneNeurons(0.25, List.of(), new MagnitudeNeurons()), new LlmInt8()),
        new Way("pairs", new Ifm(), new LlmInt8()),
        new Way("pairs", new Ifm(), new Magnitude(), new WeightInt8()));
  }

  /** What lets tokens of encoders leave. */
  private static List<Way> tokens() {
    return List.of(
        new Way("pruning of tokens", new TokenPruning()),
        new Way("pairs", new TokenPruning(), new LlmInt8()),
        new Way("pairs", new TokenPruning(), new WeightInt4()),
        new Way("pairs", new TokenPruning(), new Ifm(), new LlmInt8()));
  }

  /** A model made of another by methods, one after the other. */
  private static Model made(Model model, List<Compression> methods, CalibrationData calibration) {
    Model current = model;
    for (Compression method : methods) {
      Model next = method.apply(current, calibration);
      if (current != model) {
        current.close();
      }
      current = next;
    }
    return current;
  }

  // ---- Measuring

  private static Outcome outcome(Scale scale, Subject subject, Way way) {
    if (way.methods().isEmpty()) {
      return outcome(scale, subject, "", PLAIN, subject.model());
    }
    try (Model made = made(subject.model(), way.methods(), subject.calibration())) {
      return outcome(scale, subject, way.family(), way.name(), made);
    }
  }

  private static Outcome outcome(
      Scale scale, Subject subject, String family, String name, Model model) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.inference()) {
      double bytes = bytes(model);
      double quality = subject.quality(model);
      Tensor one = subject.texts(1);
      Tensor many = subject.texts(scale.pick(2, 32, 32));
      int rounds = scale.pick(1, 7, 15);
      return new Outcome(
          family,
          name,
          quality,
          bytes,
          Flops.of(() -> subject.pass(model, one))
              / Flops.of(() -> subject.pass(subject.model(), one)),
          ratio(subject, model, one, 3 * rounds),
          ratio(subject, model, many, rounds));
    }
  }

  private static double ratio(Subject subject, Model model, Tensor texts, int rounds) {
    return InterleavedTimer.ratio(
        () -> subject.pass(model, texts), () -> subject.pass(subject.model(), texts), rounds);
  }

  private static double bytes(Model model) {
    return model.parameters().values().stream()
        .mapToDouble(p -> (double) p.value().elements() * p.value().dtype().bytes())
        .sum();
  }

  // ---- Sentences

  private static Outcomes sentences(ExperimentContext lab) {
    Scale scale = lab.scale();
    List<Outcome> outcomes = new ArrayList<>();
    try (TextPairs pairs = new TextPairs(scale, scale.pick(3, 75, 10_000))) {
      Subject subject = new Sentences(pairs, scale.pick(2, 64, 256));
      for (Way way : Stream.concat(surgeries(scale).stream(), tokens().stream()).toList()) {
        outcomes.add(
            lab.measure(
                "sentence encoder, " + way.name(),
                Outcome.class,
                () -> outcome(scale, subject, way)));
      }
    }
    return new Outcomes(outcomes);
  }

  private record Sentences(TextPairs pairs, int calibrationTexts) implements Subject {
    private static final int LONGEST = 128;

    @Override
    public Model model() {
      return pairs.model();
    }

    @Override
    public double quality(Model model) {
      return pairs.score((Encoder) model);
    }

    @Override
    public Tensor texts(int count) {
      Encoder.Config config = pairs.model().config();
      return Tensor.randint(0, config.tokens(), count, Math.min(LONGEST, config.length()));
    }

    @Override
    public void pass(Model model, Tensor texts) {
      ((Encoder) model).hidden(texts, null);
    }

    @Override
    public CalibrationData calibration() {
      return model -> pairs.embed((Encoder) model, calibrationTexts);
    }
  }

  // ---- Language models

  private static int steps(Scale scale) {
    return scale.pick(2, 500, 20_000);
  }

  private static int batch(Scale scale) {
    return scale.pick(2, 16, 32);
  }

  private static CausalLm.Config config(
      Scale scale, double width, TokenMixer.Config mixer, ChannelMixer.Config ffn) {
    return Small.language(
        scale.pick(2, 3, 6),
        (int) (width * scale.pick(16, 128, 512)),
        scale.pick(16, 128, 256),
        new LearnedPosition.Config(),
        mixer,
        ffn,
        new Linear.Config());
  }

  private record Language(CausalLm model, ExperimentContext lab) implements Subject {
    private static final int CALIBRATION_BATCHES = 4;

    @Override
    public double quality(Model other) {
      Scale scale = lab.scale();
      return LanguageModelling.evaluate(
          (CausalLm) other, lab.text(), batch(scale), scale.pick(1, 20, 100));
    }

    @Override
    public Tensor texts(int count) {
      return Tensor.randint(0, model.config().vocab(), count, model.config().length());
    }

    @Override
    public void pass(Model other, Tensor texts) {
      ((CausalLm) other).logits(texts);
    }

    @Override
    public CalibrationData calibration() {
      SequenceSampler sampler =
          new SequenceSampler(lab.text(), batch(lab.scale()), model.config().length(), 1_000_003);
      return other -> {
        for (int i = 0; i < CALIBRATION_BATCHES; i++) {
          try (Scope scope = Scope.open()) {
            ((CausalLm) other).logits(sampler.batch(i).inputs());
          }
        }
      };
    }
  }

  /** Trains models, and tells how far all of it is. */
  private static final class School {
    private static final int TRAININGS = 7;

    private final ExperimentContext lab;
    private final DoubleConsumer progress;
    private int done;

    School(ExperimentContext lab, DoubleConsumer progress) {
      this.lab = lab;
      this.progress = progress;
    }

    CausalLm learned(CausalLm.Config config, CausalLm teacher) {
      Scale scale = lab.scale();
      Random.seed(1);
      CausalLm model = config.build();
      Task task = task(model);
      if (teacher != null) {
        task = new Distillation((Classifying) task, task(teacher), 2, 0.5);
      }
      TrainingCurve.of(
          model,
          task,
          Small.training(steps(scale), batch(scale), 1),
          share -> progress.accept((done + share) / TRAININGS));
      done++;
      model.train(false);
      return model;
    }

    private LanguageModelling task(CausalLm model) {
      return new LanguageModelling(model, lab.text(), batch(lab.scale()), 1, 1);
    }
  }

  private static Outcomes language(ExperimentContext lab, DoubleConsumer progress) {
    Scale scale = lab.scale();
    School school = new School(lab, progress);
    TokenMixer.Config attention = new SoftmaxAttention.Config(4, 0);
    CausalLm.Config usual = config(scale, 1, attention, new Mlp.Config());
    CausalLm.Config small = config(scale, 0.5, attention, new Mlp.Config());
    NestedMlp.Config nested =
        new NestedMlp.Config(
            Activation.GELU, 4, 0, new NestedMlp.Config().shares(), NestedMlp.TrainingMode.ALL);
    List<Outcome> outcomes = new ArrayList<>();
    try (CausalLm model = school.learned(usual, null);
        CausalLm student = school.learned(small, model);
        CausalLm alone = school.learned(small, null);
        CausalLm elastic = school.learned(config(scale, 1, attention, nested), null);
        CausalLm shared =
            school.learned(
                config(scale, 1, new SoftmaxAttention.Config(4, 1), new Mlp.Config()), null);
        CausalLm flow =
            school.learned(config(scale, 1, new FlowAttention.Config(), new Mlp.Config()), null);
        CausalLm narrow =
            school.learned(
                config(scale, 1, attention, new Mlp.Config(Activation.GELU, 2, 0)), null)) {
      Subject subject = new Language(model, lab);
      for (Way way : surgeries(scale)) {
        outcomes.add(outcome(scale, subject, way));
      }
      String design = "lightweight design";
      outcomes.add(outcome(scale, subject, design, "half the width", alone));
      outcomes.add(outcome(scale, subject, design, "perceptron of half the units", narrow));
      outcomes.add(outcome(scale, subject, design, "keys and values of one head", shared));
      outcomes.add(outcome(scale, subject, design, "flow attention", flow));
      outcomes.add(outcome(scale, subject, "distillation", "half the width, distilled", student));
      for (int granularity : List.of(0, 1, 2)) {
        try (Model part = new Extract(granularity).apply(elastic, null)) {
          String name = "elastic, part " + (granularity + 1) + " of 4";
          outcomes.add(outcome(scale, subject, "search", name, part));
        }
      }
      try (Model both = new LlmInt8().apply(student, null)) {
        outcomes.add(outcome(scale, subject, "pairs", "distilled, llm-int8", both));
      }
    }
    return new Outcomes(outcomes);
  }

  // ---- Report

  private static double[] costs(Outcome o, boolean higher) {
    return new double[] {higher ? -o.quality() : o.quality(), o.bytes(), o.many()};
  }

  private static boolean isOnFront(Outcome outcome, Outcomes all, boolean higher) {
    return ParetoFront.holds(
        costs(outcome, higher), all.list().stream().map(o -> costs(o, higher)).toList());
  }

  private static void report(
      ExperimentContext lab, String model, String quality, boolean higher, Outcomes outcomes) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> bytes = new ArrayList<>();
    List<Figure.Series> time = new ArrayList<>();
    for (Outcome o : outcomes.list()) {
      boolean front = isOnFront(o, outcomes, higher);
      String name = o.name() + (front ? " *" : "");
      double share = o.bytes() / outcomes.plain().bytes();
      rows.add(
          Table.row(o.family(), name, o.quality(), share, o.flops(), 1 / o.one(), 1 / o.many()));
      if (front) {
        bytes.add(Figure.Series.point(o.name(), share, o.quality()));
        time.add(Figure.Series.point(o.name(), o.many(), o.quality()));
      }
    }
    lab.table(
        new Table(
            "What makes inference cheap: " + model,
            List.of(
                "family",
                "method",
                quality,
                "bytes, share",
                "operations, share",
                "times as fast, one text",
                "times as fast, batch"),
            rows));
    lab.figure(
        new Figure(
            "Pareto front by bytes: " + model,
            "bytes, share of the plain model's",
            quality,
            false,
            false,
            bytes));
    lab.figure(
        new Figure(
            "Pareto front by time: " + model,
            "seconds of a batch, share of the plain model's",
            quality,
            false,
            false,
            time));
  }

  private static void claims(ExperimentContext lab, Outcomes sentences, Outcomes language) {
    Outcome plain = sentences.plain();
    Outcome int8 = sentences.of("llm-int8");
    lab.claim(
        "Quantization to 8 bits takes about a quarter of the bytes and loses hardly anything",
        "INT8: 4 times smaller at comparable accuracy (section on quantization)",
        Check.all(
            Check.atMost("share of the bytes", int8.bytes() / plain.bytes(), 0.3),
            Check.atLeast("share of the STS score", int8.quality() / plain.quality(), 0.99)));
    Outcome both = sentences.of("magnitude, weight-int8");
    lab.claim(
        "Pruning and quantization stack: smaller than either, at no more than the sum of the losses",
        "techniques are complementary and can be combined",
        Check.all(
            Check.below(
                "bytes as a share of the smaller of both",
                both.bytes()
                    / Math.min(
                        sentences.of("magnitude").bytes(), sentences.of("weight-int8").bytes()),
                1),
            Check.atMost(
                "loss (points of STS)",
                plain.quality() - both.quality(),
                Math.max(0, plain.quality() - sentences.of("magnitude").quality())
                    + Math.max(0, plain.quality() - sentences.of("weight-int8").quality()))));
    lab.claim(
        "Pruning single weights gains no time on this processor, leaving out units or tokens does",
        "unstructured sparsity needs hardware for it; structured pruning runs on any",
        Check.all(
            Check.atMost("times as fast, magnitude", 1 / sentences.of("magnitude").many(), 1.05),
            Check.above(
                "times as fast, prune-neurons", 1 / sentences.of("prune-neurons").many(), 1.05),
            Check.above("zero-tprune", 1 / sentences.of("zero-tprune").many(), 1.05)));
    lab.claim(
        "A distilled student is better than one of its size that learns alone",
        "distillation lets a smaller network come near to its teacher",
        Check.below(
            "loss (nats a byte)",
            language.of("half the width, distilled").quality(),
            language.of("half the width").quality()),
        "Equal updates; the student has a pass of the teacher more in each.");
    lab.claim(
        "Pairs are on the Pareto front",
        "combining techniques of several families",
        Check.all(
            front("sentence encoder", sentences, true), front("language model", language, false)));
  }

  private static Check front(String name, Outcomes outcomes, boolean higher) {
    Map<Boolean, Long> pairs =
        outcomes.list().stream()
            .filter(o -> isOnFront(o, outcomes, higher))
            .collect(
                Collectors.partitioningBy(o -> o.family().equals("pairs"), Collectors.counting()));
    return Check.atLeast("pairs on the front, " + name, pairs.get(true), 1);
  }
}
