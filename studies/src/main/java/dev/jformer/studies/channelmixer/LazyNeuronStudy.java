package dev.jformer.studies.channelmixer;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.HeldOut;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenFile;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.TopKMlp;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.ActivationSparsity;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.CalibrationError;
import dev.jformer.studies.trial.Cost;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/**
 * The lazy neuron phenomenon (arXiv 2210.06313): after a ReLU few hidden units are not 0, ever
 * fewer in training and in wider layers, also on data without sense; a Top-k perceptron makes that
 * a rule, and is held to what the paper says of its robustness and calibration.
 */
@AutoService(Study.class)
public final class LazyNeuronStudy implements Study {
  private static final int VOCAB = 256;

  /** Share of targets in training, or of inputs in testing, that are drawn at random. */
  private static final double TARGET_NOISE = 0.4;

  private static final double INPUT_NOISE = 0.1;

  /** What a model learns from. */
  private enum Source {
    TEXT("text", "text"),
    NOISY_TARGETS("text with 40 % random targets", "noisy targets"),
    RANDOM_TARGETS("a little text with random targets", "random targets"),
    RANDOM_INPUTS("a little random data", "random data");

    private final String title;
    private final String name;

    Source(String title, String name) {
      this.title = title;
      this.name = name;
    }

    boolean isToBeRemembered() {
      return this == RANDOM_TARGETS || this == RANDOM_INPUTS;
    }
  }

  /**
   * What came of a training.
   *
   * @param loss on held-out text, nats a byte
   * @param corrupted the same with inputs that are partly random
   * @param calibration expected calibration error on held-out text
   * @param trainingLoss of the last batch
   * @param shares of hidden units that are not 0, mean over layers: before training, and after
   *     equally many updates each
   * @param layers the shares of each layer in the end
   */
  public record Outcome(
      double loss,
      double corrupted,
      double calibration,
      double trainingLoss,
      List<Double> shares,
      List<Double> layers) {
    double last() {
      return shares.get(shares.size() - 1);
    }
  }

  @Override
  public String slug() {
    return "lazy-neuron";
  }

  @Override
  public void run(ExperimentContext lab) {
    Map<String, List<Outcome>> plain = emergence(lab);
    withoutSense(lab);
    topK(lab, plain);
    cost(lab);
    lab.note(
        "The paper's models are T5 and ViT; here they are small language models of bytes. Its random"
            + " labels and random images become eight batches of text with random targets, and of"
            + " random bytes throughout, that are to be remembered.");
  }

  // ---- Emergence

  private static String width(double expand) {
    return "hidden " + Check.number(expand) + " D";
  }

  private static Map<String, List<Outcome>> emergence(ExperimentContext lab) {
    double[] expands =
        lab.scale().pick(new double[] {1, 4}, new double[] {1, 4, 16}, new double[] {1, 4, 16});
    Map<String, List<Outcome>> all = new LinkedHashMap<>();
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    for (double expand : expands) {
      String name = width(expand);
      List<Outcome> outcomes =
          learn(lab, name, new Mlp.Config(Activation.RELU, expand, 0), Source.TEXT);
      all.put(name, outcomes);
      rows.add(row(name, outcomes));
      curves.add(curve(lab.scale(), name, outcomes.get(0)));
    }
    Outcome usual = all.get(width(4)).get(0);
    double narrow = Seeds.mean(all.get(width(expands[0])), Outcome::last);
    double wide = Seeds.mean(all.get(width(expands[expands.length - 1])), Outcome::last);
    double start = Seeds.mean(all.get(width(4)), o -> o.shares().get(0));
    double end = Seeds.mean(all.get(width(4)), Outcome::last);
    lab.claim(
        "Sparsity emerges in training: fewer hidden units are not 0 at the end than at the start",
        "T5-Base 3.0 % in the end, about 50 % at the start (abstract; section 2)",
        Check.below("share not 0 (%)", 100 * end, 100 * start),
        "By layer, first seed: " + percent(usual.layers()) + " %.");
    lab.claim(
        "Sparsity grows with the width of the hidden layer",
        "bigger models, wider and deeper, are sparser (section 2)",
        Check.below("share not 0 of the widest (%)", 100 * wide, 100 * narrow));
    lab.table(
        new Table(
            "Hidden units that are not 0, by width of the hidden layer",
            List.of(
                "perceptron",
                "at the start (%)",
                "in the end (%)",
                "by layer, first seed (%)",
                "held-out loss (nats a byte)"),
            rows));
    lab.figure(
        new Figure(
            "Hidden units that are not 0, on text", "updates", "share", false, false, curves));
    return all;
  }

  private static void withoutSense(ExperimentContext lab) {
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    List<Check> checks = new ArrayList<>();
    for (Source source : List.of(Source.RANDOM_TARGETS, Source.RANDOM_INPUTS)) {
      List<Outcome> outcomes =
          learn(lab, source.name, new Mlp.Config(Activation.RELU, 4, 0), source);
      List<String> row = new ArrayList<>(row(source.title, outcomes));
      row.set(4, Table.row(Seeds.mean(outcomes, Outcome::trainingLoss)).get(0));
      rows.add(row);
      curves.add(curve(lab.scale(), source.title, outcomes.get(0)));
      checks.add(
          Check.below(
              "share not 0 with " + source.name + " (%)",
              100 * Seeds.mean(outcomes, Outcome::last),
              100 * Seeds.mean(outcomes, o -> o.shares().get(0))));
    }
    lab.claim(
        "Sparsity emerges also where there is nothing to understand",
        "also with random labels, random inputs, or infinite data (section 3)",
        Check.all(checks.toArray(Check[]::new)));
    lab.table(
        new Table(
            "The same where there is only something to remember",
            List.of(
                "data",
                "at the start (%)",
                "in the end (%)",
                "by layer, first seed (%)",
                "training loss (nats a byte)"),
            rows));
    lab.figure(
        new Figure(
            "Hidden units that are not 0, on data without sense",
            "updates",
            "share",
            false,
            false,
            curves));
  }

  private static List<String> row(String name, List<Outcome> outcomes) {
    return Table.row(
        name,
        100 * Seeds.mean(outcomes, o -> o.shares().get(0)),
        100 * Seeds.mean(outcomes, Outcome::last),
        percent(outcomes.get(0).layers()),
        Seeds.mean(outcomes, Outcome::loss));
  }

  private static String percent(List<Double> shares) {
    return String.join(", ", shares.stream().map(s -> Check.number(100 * s)).toList());
  }

  private static Figure.Series curve(Scale scale, String name, Outcome outcome) {
    List<Double> updates = new ArrayList<>();
    for (int i = 0; i < outcome.shares().size(); i++) {
      updates.add((double) i * evaluateEvery(scale));
    }
    return Figure.Series.line(name, updates, outcome.shares());
  }

  // ---- Top-k

  private static void topK(ExperimentContext lab, Map<String, List<Outcome>> plain) {
    int hidden = 4 * width(lab.scale());
    Map<String, List<Outcome>> clean = new LinkedHashMap<>();
    Map<String, List<Outcome>> noisy = new LinkedHashMap<>();
    clean.put("plain", plain.get(width(4)));
    noisy.put(
        "plain",
        learn(
            lab,
            "plain, noisy targets",
            new Mlp.Config(Activation.RELU, 4, 0),
            Source.NOISY_TARGETS));
    int[] ks = {hidden / 32, hidden / 8};
    for (int k : ks) {
      ChannelMixer.Config ffn = new TopKMlp.Config(Math.max(1, k), 4, 0);
      String name = "top " + k + " of " + hidden;
      clean.put(name, learn(lab, name, ffn, Source.TEXT));
      noisy.put(name, learn(lab, name + ", noisy targets", ffn, Source.NOISY_TARGETS));
    }
    List<List<String>> rows = new ArrayList<>();
    clean.forEach(
        (name, outcomes) -> {
          double loss = Seeds.mean(outcomes, Outcome::loss);
          rows.add(
              Table.row(
                  name,
                  100 * Seeds.mean(outcomes, Outcome::last),
                  loss,
                  Seeds.mean(noisy.get(name), Outcome::loss) - loss,
                  Seeds.mean(outcomes, Outcome::corrupted) - loss,
                  100 * Seeds.mean(outcomes, Outcome::calibration),
                  100 * Seeds.mean(noisy.get(name), Outcome::calibration)));
        });
    String best = "top " + ks[1] + " of " + hidden;
    double plainLoss = Seeds.mean(clean.get("plain"), Outcome::loss);
    double topLoss = Seeds.mean(clean.get(best), Outcome::loss);
    lab.claim(
        "A Top-k perceptron learns nearly as well as a plain one",
        "about equal accuracy (section 4)",
        Check.atMost("loss as a multiple of the plain one's", topLoss / plainLoss, 1.02),
        "With " + best + ".");
    lab.claim(
        "Top-k makes less sensitive to noisy targets in training",
        "more robust to label noise (section 4)",
        Check.below(
            "loss added by noise",
            Seeds.mean(noisy.get(best), Outcome::loss) - topLoss,
            Seeds.mean(noisy.get("plain"), Outcome::loss) - plainLoss));
    lab.claim(
        "Top-k makes less sensitive to corrupted inputs",
        "more robust to corrupted inputs (section 4)",
        Check.below(
            "loss added by corruption",
            Seeds.mean(clean.get(best), Outcome::corrupted) - topLoss,
            Seeds.mean(clean.get("plain"), Outcome::corrupted) - plainLoss));
    lab.claim(
        "Top-k activations make a classifier better calibrated",
        "lower expected calibration error (section 4)",
        Check.below(
            "calibration error (%)",
            100 * Seeds.mean(clean.get(best), Outcome::calibration),
            100 * Seeds.mean(clean.get("plain"), Outcome::calibration)));
    lab.table(
        new Table(
            "Top-k perceptrons beside the plain one",
            List.of(
                "perceptron",
                "not 0 (%)",
                "held-out loss (nats a byte)",
                "added by 40 % random targets in training",
                "added by 10 % random inputs in testing",
                "calibration error (%)",
                "the same with noisy targets (%)"),
            rows));
  }

  // ---- Cost

  /** A token's product with the second matrix of T5-Base's perceptrons. */
  private static void cost(ExperimentContext lab) {
    int width = lab.scale().pick(64, 768, 768);
    int hidden = 4 * width;
    int[] permille = {30, 100, 300, 1000};
    Cost all =
        lab.measure(
            "all rows",
            Cost.class,
            () -> Cost.measure(permille, size -> product(width, hidden, size, false)));
    Cost some =
        lab.measure(
            "rows that count",
            Cost.class,
            () -> Cost.measure(permille, size -> product(width, hidden, size, true)));
    List<List<String>> rows = new ArrayList<>();
    for (int i = 0; i < permille.length; i++) {
      double full = all.points().get(i).seconds();
      double few = some.points().get(i).seconds();
      rows.add(Table.row(permille[i] / 10.0, 1e6 * full, 1e6 * few, full / few));
    }
    double gain = all.points().get(0).seconds() / some.points().get(0).seconds();
    lab.claim(
        "Leaving out units that are 0 makes decoding's second product faster",
        "fewer operations (section 5)",
        Check.above("times as fast with 3 % not 0", gain, 1));
    lab.table(
        new Table(
            String.format(
                Locale.ROOT,
                "The second product of a perceptron for one token, %d by %d",
                hidden,
                width),
            List.of("not 0 (%)", "all units (µs)", "only those not 0 (µs)", "times as fast"),
            rows));
  }

  private static Runnable product(int width, int hidden, int permille, boolean few) {
    Tensor rows = Tensor.randn(hidden, width);
    int count = Math.max(1, hidden * permille / 1000);
    Tensor units = Tensor.zeros(1, hidden);
    // Spread over the rows as they would be, not side by side.
    long[] which = new long[count];
    for (int i = 0; i < count; i++) {
      which[i] = (long) i * hidden / count;
    }
    Tensor indices = Tensor.of(which, count);
    Tensor values = Tensor.rand(1, count);
    units.copy_(units.scatter(1, indices.unsqueeze(0), values));
    return () -> {
      try (Mode mode = Autograd.noGrad()) {
        for (int i = 0; i < 20; i++) {
          if (few) {
            Tensor positive = units.squeeze(0).nonzero().squeeze(1);
            units.indexSelect(1, positive).matmul(rows.indexSelect(0, positive));
          } else {
            units.matmul(rows);
          }
        }
      }
    };
  }

  // ---- Training

  private static int width(Scale scale) {
    return scale.pick(16, 64, 256);
  }

  private static int steps(Scale scale) {
    return scale.pick(4, 600, 10_000);
  }

  private static int evaluateEvery(Scale scale) {
    return Math.max(1, steps(scale) / 10);
  }

  private static List<Outcome> learn(
      ExperimentContext lab, String name, ChannelMixer.Config ffn, Source source) {
    List<Outcome> outcomes = new ArrayList<>();
    for (int seed = 1; seed <= lab.scale().pick(1, 2, 3); seed++) {
      int s = seed;
      outcomes.add(
          lab.measure(
              name + ", seed " + seed,
              Outcome.class,
              progress -> learn(lab.scale(), lab.text(), ffn, source, s, progress)));
    }
    return outcomes;
  }

  private static Outcome learn(
      Scale scale,
      TokenFile text,
      ChannelMixer.Config ffn,
      Source source,
      long seed,
      DoubleConsumer progress) {
    int steps = steps(scale);
    CausalLm.Config config =
        new CausalLm.Config()
            .with(c -> c.vocab(VOCAB).length(scale.pick(24, 64, 256)))
            .withStack(s -> s.layers(scale.pick(2, 3, 6)).width(width(scale)))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(4, 0)).ffn(ffn));
    TrainingConfig training =
        new TrainingConfig()
            .with(
                t ->
                    t.steps(steps)
                        .batch(scale.pick(4, 16, 32))
                        .evaluateEvery(evaluateEvery(scale))
                        .checkpointEvery(steps)
                        .seed(seed));
    Random.seed(seed);
    try (CausalLm model = config.build()) {
      Bytes bytes = new Bytes(model, text, training, source, scale.pick(2, 40, 100));
      bytes.note();
      try (Trainer trainer = new Trainer(model, bytes, training, null)) {
        trainer.addListener(
            new Listener() {
              @Override
              public void step(Step step) {
                bytes.trainingLoss = step.loss();
                progress.accept((double) step.step() / steps);
              }

              @Override
              public void evaluation(Evaluation evaluation) {
                bytes.note();
              }
            });
        trainer.run();
      }
      return bytes.outcome();
    }
  }

  /** Predicting bytes of one of the sources; evaluated on held-out text. */
  private static final class Bytes implements Task {
    /** Batches that are to be remembered. */
    private static final int FEW = 8;

    private final CausalLm model;
    private final TokenFile text;
    private final TrainingConfig training;
    private final Source source;
    private final int evaluationBatches;
    private final SequenceSampler sampler;
    private final List<Double> shares = new ArrayList<>();
    private List<Double> layers = List.of();
    private double trainingLoss;

    Bytes(
        CausalLm model,
        TokenFile text,
        TrainingConfig training,
        Source source,
        int evaluationBatches) {
      this.model = model;
      this.text = text;
      this.training = training;
      this.source = source;
      this.evaluationBatches = evaluationBatches;
      this.sampler =
          new SequenceSampler(text, training.batch(), model.config().length(), training.seed());
    }

    @Override
    public Tensor loss(long index) {
      Batch batch = batch(index);
      return model.loss(batch.inputs(), batch.targets());
    }

    private Batch batch(long index) {
      long number = source.isToBeRemembered() ? index % FEW : index;
      Batch batch = sampler.batch(number);
      SplittableRandom random = new SplittableRandom(31 * training.seed() + number);
      return switch (source) {
        case TEXT -> batch;
        case NOISY_TARGETS ->
            new Batch(batch.inputs(), spoiled(batch.targets(), TARGET_NOISE, random));
        case RANDOM_TARGETS -> new Batch(batch.inputs(), spoiled(batch.targets(), 1, random));
        case RANDOM_INPUTS ->
            new Batch(spoiled(batch.inputs(), 1, random), spoiled(batch.targets(), 1, random));
      };
    }

    /** The same with a share of the bytes drawn at random. */
    private static Tensor spoiled(Tensor bytes, double share, SplittableRandom random) {
      long[] values = bytes.toLongs();
      for (int i = 0; i < values.length; i++) {
        if (random.nextDouble() < share) {
          values[i] = random.nextInt(VOCAB);
        }
      }
      return Tensor.of(values, bytes.size(0), bytes.size(1));
    }

    @Override
    public long unitsPerBatch() {
      return (long) training.batch() * model.config().length();
    }

    @Override
    public String unit() {
      return "tokens";
    }

    @Override
    public Metrics evaluate() {
      return Metrics.ofLoss(heldOut(0, null), "nats per byte");
    }

    private double heldOut(double noise, CalibrationError calibration) {
      SplittableRandom random = new SplittableRandom(9);
      double[] sum = new double[2];
      HeldOut.read(
          text,
          training.batch(),
          model.config().length(),
          evaluationBatches,
          batch -> {
            try (Scope scope = Scope.open();
                Mode mode = Autograd.noGrad()) {
              Tensor logits = model.logits(spoiled(batch.inputs(), noise, random)).flatten(0, 1);
              Tensor targets = batch.targets().flatten(0, 1);
              Tensor chosen = logits.logSoftmax(1).gather(1, targets.unsqueeze(1));
              sum[0] -= chosen.to(DType.FLOAT64).sum().item();
              sum[1] += targets.elements();
              if (calibration != null) {
                calibration.add(logits, targets);
              }
            }
          });
      return sum[0] / sum[1];
    }

    /** Notes which hidden units take part for the first batches learned from. */
    void note() {
      try (Scope scope = Scope.open()) {
        ActivationSparsity sparsity =
            ActivationSparsity.of(model, List.of(batch(0).inputs(), batch(1).inputs()));
        shares.add(sparsity.mean());
        layers = sparsity.layers();
      }
    }

    Outcome outcome() {
      model.train(false);
      CalibrationError calibration = new CalibrationError();
      double loss = heldOut(0, calibration);
      return new Outcome(
          loss,
          heldOut(INPUT_NOISE, null),
          calibration.error(),
          trainingLoss,
          List.copyOf(shares),
          layers);
    }
  }
}
