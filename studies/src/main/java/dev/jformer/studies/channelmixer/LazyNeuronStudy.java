package dev.jformer.studies.channelmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.computed;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.text.Batch;
import dev.jformer.data.text.SequenceSampler;
import dev.jformer.data.text.TokenNoise;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.TopKMlp;
import dev.jformer.metrics.CalibrationError;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.ActivationSparsity;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.Activation;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.HeldOutText;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TimedArms;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ForwardingTask;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.LongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The activation sparsity of perceptrons with ReLU, after <a
 * href="https://arxiv.org/abs/2210.06313">The Lazy Neuron Phenomenon: On Emergence of Activation
 * Sparsity in Transformers</a>: how it changes in training, with the width of the hidden layer and
 * on random data; and how robust and how well calibrated Top-k perceptrons are.
 */
@AutoService(Study.class)
public final class LazyNeuronStudy implements Study {
  private static final int VOCAB = 256;

  /** Products that are timed together. */
  private static final int PRODUCTS = 20;

  private static final ChannelMixer.Config USUAL = new Mlp.Config(Activation.RELU, 4, 0);
  private static final String PLAIN = "plain";
  private static final String NOISY = ", noisy targets";

  /** Noise in testing: a tenth of the inputs. */
  private static final TokenNoise INPUT_NOISE = new TokenNoise(0.1, 0, VOCAB);

  /** What a model learns from: all of the text, or so many batches of it to be remembered. */
  private record Source(TokenNoise noise, int batches) {
    private static final Source TEXT = new Source(0, 0, 0);
    private static final Source NOISY_TARGETS = new Source(0, 0.4, 0);
    private static final Source RANDOM_TARGETS = new Source(0, 1, 8);
    private static final Source RANDOM_INPUTS = new Source(1, 1, 8);

    Source(double inputs, double targets, int batches) {
      this(new TokenNoise(inputs, targets, VOCAB), batches);
    }

    Batch batch(SequenceSampler text, long seed, long index) {
      long number = batches == 0 ? index : index % batches;
      return noise.in(text.batch(number), new SplittableRandom(31 * seed + number));
    }
  }

  /**
   * What came of a training: losses on held-out text in nats a byte, also with inputs that are
   * partly random; the expected calibration error there, in percent; the loss of the last batch;
   * and the shares of hidden units that are not 0, before training and after equally many updates
   * each.
   */
  public record Outcome(
      double loss,
      double corrupted,
      double calibration,
      double trainingLoss,
      List<ActivationSparsity> shares) {
    private ActivationSparsity last() {
      return shares.get(shares.size() - 1);
    }

    double startPercent() {
      return 100 * shares.get(0).mean();
    }

    double endPercent() {
      return 100 * last().mean();
    }

    String byLayer() {
      return last().layers().stream()
          .map(share -> Check.number(100 * share))
          .collect(Collectors.joining(", "));
    }

    double addedByCorruption() {
      return corrupted - loss;
    }

    Figure.Series curve(String name, int every) {
      return Figure.Series.spaced(
          name, 0, every, shares.stream().map(ActivationSparsity::mean).toList());
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Measured<Outcome> widths = emergence(lab);
    withoutSense(lab);
    topK(lab, widths.arm(width(4)).runs());
    cost(lab);
    lab.note(
        "The paper's models are T5 and ViT; here they are small language models of bytes. Its"
            + " random labels and random images become eight batches of text with random targets,"
            + " and of random bytes throughout, that are to be remembered.");
  }

  private static String width(double expand) {
    return "hidden " + Check.number(expand) + " D";
  }

  private static Measured<Outcome> emergence(ExperimentContext lab) {
    List<Integer> expands = lab.pick(List.of(1, 4), List.of(1, 4, 16), List.of(1, 4, 16));
    Arms<Mlp.Config> perceptrons =
        Arms.named(expands, LazyNeuronStudy::width)
            .with(expand -> new Mlp.Config(Activation.RELU, expand, 0));
    Measured<Outcome> runs = learn(lab, perceptrons, Source.TEXT);
    lab.claim(
        "Sparsity emerges in training: fewer hidden units are not 0 at the end than at the start",
        "T5-Base 3.0 % in the end, about 50 % at the start (abstract; section 2)",
        "the model before training",
        sparser("share not 0 (%)", runs.arm(width(4))),
        "By layer, first seed: " + runs.first(width(4)).byLayer() + " %.");
    String widest = width(expands.get(expands.size() - 1));
    lab.claim(
        "Sparsity grows with the width of the hidden layer",
        "bigger models, wider and deeper, are sparser (section 2)",
        width(1),
        runs.below("share not 0 of the widest (%)", widest, width(1), Outcome::endPercent));
    String title = "Hidden units that are not 0, by width of the hidden layer";
    Column<Outcome> loss = column("held-out loss (nats a byte)", Outcome::loss);
    report(lab, runs, title, "perceptron", loss, "on text");
    return runs;
  }

  private static Check sparser(String name, Measured.Arm<Outcome> arm) {
    return Check.below(name, arm.of(Outcome::endPercent), arm.of(Outcome::startPercent));
  }

  private static void withoutSense(ExperimentContext lab) {
    Measured<Outcome> runs =
        Arms.of("random targets", Source.RANDOM_TARGETS)
            .arm("random data", Source.RANDOM_INPUTS)
            .learn(lab, seeds(lab), source -> trial(lab, USUAL, source));
    lab.claim(
        "Sparsity emerges also where there is nothing to understand",
        "also with random labels, random inputs, or infinite data (section 3)",
        "the model before training",
        Check.each(runs.arms(), arm -> sparser("share not 0 with " + arm.name() + " (%)", arm)));
    String title =
        "The same where there is only something to remember: a little text with random targets, a"
            + " little random data";
    Column<Outcome> loss = column("training loss (nats a byte)", Outcome::trainingLoss);
    report(lab, runs, title, "data", loss, "on data without sense");
  }

  private static void report(
      ExperimentContext lab,
      Measured<Outcome> runs,
      String title,
      String arm,
      Column<Outcome> loss,
      String data) {
    lab.table(
        runs.table(
            title,
            arm,
            column("at the start (%)", Outcome::startPercent),
            column("in the end (%)", Outcome::endPercent),
            fixed("by layer, first seed (%)", Outcome::byLayer),
            loss));
    int every = training(lab).evaluateEvery();
    lab.figure(
        runs.figure(
            "Hidden units that are not 0, " + data,
            "updates",
            "share",
            (run, name) -> run.curve(name, every)));
  }

  private static Arms<ChannelMixer.Config> topK(int hidden, String data) {
    return Arms.named(List.of(hidden / 32, hidden / 8), k -> "top " + k + " of " + hidden + data)
        .with(k -> new TopKMlp.Config(Math.max(1, k), 4, 0));
  }

  private static void topK(ExperimentContext lab, List<Outcome> plain) {
    int hidden = 4 * width(lab);
    Measured<Outcome> quiet =
        Measured.ofRuns(Map.of(PLAIN, plain)).and(learn(lab, topK(hidden, ""), Source.TEXT));
    Arms<ChannelMixer.Config> noisy = topK(hidden, NOISY).control(PLAIN + NOISY, USUAL);
    Measured<Outcome> all = quiet.and(learn(lab, noisy, Source.NOISY_TARGETS));
    String best = "top " + hidden / 8 + " of " + hidden;
    lab.claim(
        "A Top-k perceptron learns nearly as well as a plain one",
        "about equal accuracy (section 4)",
        all.ratioAtMost("loss", best, PLAIN, Outcome::loss, 1.02),
        "With " + best + ".");
    lab.claim(
        "Top-k makes a perceptron less sensitive to noisy targets in training",
        "more robust to label noise (section 4)",
        PLAIN,
        Check.below("loss added by noise", addedByNoise(all, best), addedByNoise(all, PLAIN)));
    lab.claim(
        "Top-k makes a perceptron less sensitive to corrupted inputs",
        "more robust to corrupted inputs (section 4)",
        PLAIN,
        all.below("loss added by corruption", best, PLAIN, Outcome::addedByCorruption));
    lab.claim(
        "Top-k activations make a classifier better calibrated",
        "lower expected calibration error (section 4)",
        PLAIN,
        all.below("calibration error (%)", best, PLAIN, Outcome::calibration));
    lab.table(
        quiet.table(
            "Top-k perceptrons beside the plain one",
            "perceptron",
            column("not 0 (%)", Outcome::endPercent),
            column("held-out loss (nats a byte)", Outcome::loss),
            computed(
                "added by 40 % random targets in training", arm -> addedByNoise(all, arm.name())),
            column("added by 10 % random inputs in testing", Outcome::addedByCorruption),
            column("calibration error (%)", Outcome::calibration),
            computed(
                "the same with noisy targets (%)",
                arm -> all.of(arm.name() + NOISY, Outcome::calibration))));
  }

  private static Estimate addedByNoise(Measured<Outcome> all, String arm) {
    return all.beside(arm + NOISY, arm, (noisy, clean) -> noisy.loss() - clean.loss());
  }

  /** A token's product with the second matrix of T5-Base's perceptrons. */
  private static void cost(ExperimentContext lab) {
    int width = lab.pick(64, 768, 768);
    String every = "all units";
    String some = "only those not 0";
    Measured<TimedArms> times =
        Arms.named(List.of(30, 100, 300, 1000), permille -> Check.number(permille / 10.0))
            .measure(
                lab,
                "product, % not 0: ",
                TimedArms.class,
                permille -> {
                  Tensor rows = Tensor.randn(4L * width, width);
                  Tensor units = units(4 * width, permille);
                  return TimedArms.measure(
                      Arms.<Runnable>of(every, () -> units.matmul(rows))
                          .arm(some, () -> sparseProduct(units, rows))
                          .with(LazyNeuronStudy::repeated),
                      3,
                      lab.pick(3, 31, 31));
                });
    lab.claim(
        "Leaving out units that are 0 makes decoding's second product faster",
        "fewer operations (section 5)",
        every,
        Check.above("times as fast with 3 % not 0", times.first("3").ratio(every, some), 1));
    lab.table(
        times.table(
            "The second product of a perceptron for one token, " + 4 * width + " by " + width,
            "not 0 (%)",
            column("all units (µs)", t -> 1e6 * t.seconds(every) / PRODUCTS),
            column("only those not 0 (µs)", t -> 1e6 * t.seconds(some) / PRODUCTS),
            computed("times as fast", arm -> arm.first().ratio(every, some))));
  }

  /** Hidden units of which some are not 0, spread over the rows as they would be. */
  private static Tensor units(int hidden, int permille) {
    int count = Math.max(1, hidden * permille / 1000);
    long[] which = IntStream.range(0, count).mapToLong(i -> (long) i * hidden / count).toArray();
    return Tensor.zeros(1, hidden).scatter(1, Tensor.of(which, 1, count), Tensor.rand(1, count));
  }

  private static void sparseProduct(Tensor units, Tensor rows) {
    Tensor positive = units.squeeze(0).nonzero().squeeze(1);
    Functional.sparseRow(positive, units.squeeze(0).indexSelect(0, positive), rows);
  }

  private static Runnable repeated(Runnable product) {
    return () -> {
      try (Mode mode = Autograd.noGrad()) {
        IntStream.range(0, PRODUCTS).forEach(i -> product.run());
      }
    };
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 256);
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 2, 3);
  }

  private static TrainingConfig training(ExperimentContext lab) {
    return Small.training(lab.pick(4, 600, 10_000), lab.pick(4, 16, 32), 1);
  }

  private static Measured<Outcome> learn(
      ExperimentContext lab, Arms<? extends ChannelMixer.Config> perceptrons, Source source) {
    return perceptrons.learn(lab, seeds(lab), ffn -> trial(lab, ffn, source));
  }

  private static Trial<Outcome> trial(
      ExperimentContext lab, ChannelMixer.Config ffn, Source source) {
    CausalLm.Config config =
        Small.language(lab.pick(2, 3, 6), width(lab), lab.pick(24, 64, 256), 4)
            .withBlock(b -> b.ffn(ffn));
    TrainingConfig training = training(lab);
    return new TaskTrial<>(
            config::build, training, (model, own) -> new Lessons(lab, model, source, own.seed()))
        .examined(Outcome.class, (model, lessons, result) -> lessons.outcome());
  }

  /**
   * A model's lessons from a source, evaluated on held-out text, and notes of which hidden units
   * take part before, while and after it learns.
   */
  private static final class Lessons extends ForwardingTask {
    private final ExperimentContext lab;
    private final CausalLm model;
    private final LongFunction<Batch> batches;
    private final List<ActivationSparsity> shares = new ArrayList<>();
    private double trainingLoss;

    Lessons(ExperimentContext lab, CausalLm model, Source source, long seed) {
      super(new LanguageModelling(model, lab.text(), rows(lab), seed, evaluated(lab)));
      this.lab = lab;
      this.model = model;
      SequenceSampler text =
          new SequenceSampler(lab.text(), rows(lab), model.config().length(), seed);
      this.batches = index -> source.batch(text, seed, index);
      note();
    }

    private static int rows(ExperimentContext lab) {
      return training(lab).batch();
    }

    private static int evaluated(ExperimentContext lab) {
      return lab.pick(2, 40, 100);
    }

    private void note() {
      try (Scope scope = Scope.open()) {
        List<Tensor> some = List.of(batches.apply(0).inputs(), batches.apply(1).inputs());
        shares.add(ActivationSparsity.of(model, some));
      }
    }

    @Override
    public Tensor loss(long index) {
      Batch lesson = batches.apply(index);
      Tensor loss = model.loss(lesson.inputs(), lesson.targets());
      trainingLoss = loss.item();
      return loss;
    }

    @Override
    public Metrics evaluate() {
      note();
      return super.evaluate();
    }

    Outcome outcome() {
      CalibrationError calibration = new CalibrationError();
      double loss = heldOut(Source.TEXT.noise(), calibration);
      double corrupted = heldOut(INPUT_NOISE, new CalibrationError());
      return new Outcome(loss, corrupted, 100 * calibration.error(), trainingLoss, shares);
    }

    private double heldOut(TokenNoise noise, CalibrationError calibration) {
      SplittableRandom random = new SplittableRandom(9);
      return HeldOutText.mean(
          lab.text(),
          rows(lab),
          model.config().length(),
          evaluated(lab),
          part -> {
            Tensor logits = model.logits(noise.in(part, random).inputs());
            calibration.add(logits.flatten(0, 1), part.targets().flatten(0, 1));
            return logits.logSoftmax(2).gather(2, part.targets().unsqueeze(2)).neg();
          });
    }
  }
}
