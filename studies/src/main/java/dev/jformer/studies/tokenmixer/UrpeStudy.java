package dev.jformer.studies.tokenmixer;

import com.google.auto.service.AutoService;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.Urpe;
import dev.jformer.model.CausalLm;
import dev.jformer.model.TokenClassifier;
import dev.jformer.position.Alibi;
import dev.jformer.position.Position;
import dev.jformer.position.T5Bias;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Seeds;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Listener;
import dev.jformer.train.Schedule;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleConsumer;
import java.util.function.IntUnaryOperator;

/**
 * Universal relative positions (arXiv 2205.13401): what relative biases alone cannot learn on
 * sequences of identical tokens, and can with URPE; then language modelling with and without.
 */
@AutoService(Study.class)
public final class UrpeStudy implements Study {
  /** Sequences of one token, repeated: as many as there are tokens. */
  private static final int VOCAB = 4;

  /** The accuracy from which on a puzzle counts as solved. */
  private static final double SOLVED = 0.99;

  /** What is asked of each position of a sequence. */
  private enum Puzzle {
    POSITION("position identification", "the position's index", position -> position),
    EVEN("even-position prediction", "whether the position is even", position -> position % 2);

    private final String title;
    private final String target;
    private final IntUnaryOperator label;

    Puzzle(String title, String target, IntUnaryOperator label) {
      this.title = title;
      this.target = target;
      this.label = label;
    }

    int labels(int length) {
      return this == POSITION ? length : 2;
    }

    /** int64 [1, length]. */
    Tensor targets(int length) {
      long[] labels = new long[length];
      for (int t = 0; t < length; t++) {
        labels[t] = label.applyAsInt(t);
      }
      return Tensor.of(labels, 1, length);
    }
  }

  /** What the logits of attention are told of positions. */
  private enum Encoding {
    T5("T5 bias", new T5Bias.Config()),
    ALIBI("ALiBi", new Alibi.Config());

    private final String title;
    private final Position.Config config;

    Encoding(String title, Position.Config config) {
      this.title = title;
      this.config = config;
    }
  }

  /**
   * What came of learning a puzzle.
   *
   * @param accuracy share of positions whose most likely label is right, computed in float64: a
   *     model that can only guess learns equal scores, between which float32's rounding would
   *     choose
   * @param loss mean cross-entropy in nats
   * @param solvedAt updates until the accuracy was first seen at {@link #SOLVED}; 0 if it never was
   * @param seconds of training
   * @param losses on the way, after equally many updates each
   */
  public record Outcome(
      double accuracy, double loss, long solvedAt, double seconds, List<Double> losses) {}

  @Override
  public String slug() {
    return "urpe";
  }

  @Override
  public void run(ExperimentContext lab) {
    puzzles(lab);
    language(lab);
    lab.note(
        "Sequences of a puzzle are one token, repeated; all "
            + VOCAB
            + " that there are make the batch, so that nothing is held out. The authors' own code"
            + " draws tokens at random, and has another second puzzle: to give the tokens at even"
            + " positions in the first half of the output. Without other tokens to tell positions"
            + " by, chance can be computed: what is said alike at all positions is right at one in"
            + " as many as there are labels, and its cross-entropy at least their logarithm.");
    lab.note(
        "The authors' models share one matrix C among their layers; here each layer has its own.");
  }

  private static TokenMixer.Config mixer(boolean universal, int heads) {
    return universal ? new Urpe.Config(heads, 0) : new SoftmaxAttention.Config(heads, 0);
  }

  private static String name(Encoding encoding, boolean universal) {
    return encoding.title + (universal ? " with URPE" : "");
  }

  // ---- Puzzles

  private static void puzzles(ExperimentContext lab) {
    int length = lab.scale().pick(8, 32, 128);
    int seeds = lab.scale().pick(1, 3, 3);
    for (Puzzle puzzle : Puzzle.values()) {
      double chance = 1.0 / puzzle.labels(length);
      List<Check> solved = new ArrayList<>();
      List<Check> guessed = new ArrayList<>();
      List<List<String>> rows = new ArrayList<>();
      List<Figure.Series> curves = new ArrayList<>();
      for (Encoding encoding : Encoding.values()) {
        for (boolean universal : new boolean[] {false, true}) {
          String name = name(encoding, universal);
          List<Outcome> outcomes = new ArrayList<>();
          for (int seed = 1; seed <= seeds; seed++) {
            int s = seed;
            outcomes.add(
                lab.measure(
                    puzzle.title + ", " + name + ", seed " + seed,
                    Outcome.class,
                    progress ->
                        learn(lab.scale(), puzzle, encoding, universal, length, s, progress)));
          }
          double worst = outcomes.stream().mapToDouble(Outcome::accuracy).min().getAsDouble();
          double best = outcomes.stream().mapToDouble(Outcome::accuracy).max().getAsDouble();
          double loss = outcomes.stream().mapToDouble(Outcome::loss).min().getAsDouble();
          if (universal) {
            solved.add(Check.atLeast("accuracy of " + name, worst, SOLVED));
          } else {
            guessed.add(Check.atMost("accuracy of " + name, best, chance));
            guessed.add(
                Check.atLeast(
                    "its cross-entropy", loss, Math.log(puzzle.labels(length)) * (1 - 1e-6)));
          }
          rows.add(
              Table.row(
                  name,
                  100 * worst,
                  100 * best,
                  loss,
                  String.join(
                      ", ",
                      outcomes.stream()
                          .map(o -> o.solvedAt() == 0 ? "never" : "" + o.solvedAt())
                          .toList()),
                  Seeds.mean(outcomes, Outcome::seconds)));
          List<Double> losses = outcomes.get(0).losses();
          curves.add(Figure.Series.line(name, updates(lab.scale(), losses.size()), losses));
        }
      }
      String paper =
          "relative encodings cannot, whatever the depth and width; URPE is universal (abstract)";
      lab.claim(
          "With URPE the position of identical tokens can be told: " + puzzle.title + " is solved",
          paper,
          Check.all(solved.toArray(Check[]::new)));
      lab.claim(
          "Relative biases alone do not beat chance in " + puzzle.title,
          paper,
          Check.all(guessed.toArray(Check[]::new)),
          "Chance is " + Check.number(100 * chance) + " %.");
      lab.table(
          new Table(
              String.format(
                  Locale.ROOT,
                  "%s: %d identical tokens, to each %s; chance %s %%",
                  puzzle.title,
                  length,
                  puzzle.target,
                  Check.number(100 * chance)),
              List.of(
                  "positions",
                  "accuracy, worst seed (%)",
                  "best (%)",
                  "least cross-entropy (nats)",
                  "updates to 99 %, by seed",
                  "seconds"),
              rows));
      lab.figure(
          new Figure(
              "Learning of " + puzzle.title + ", first seed",
              "updates",
              "cross-entropy (nats)",
              false,
              false,
              curves));
    }
  }

  private static int steps(Scale scale) {
    return scale.pick(12, 800, 40_000);
  }

  private static int evaluateEvery(Scale scale) {
    return Math.max(1, steps(scale) / 40);
  }

  private static List<Double> updates(Scale scale, int count) {
    List<Double> updates = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      updates.add((double) i * evaluateEvery(scale));
    }
    return updates;
  }

  private static Outcome learn(
      Scale scale,
      Puzzle puzzle,
      Encoding encoding,
      boolean universal,
      int length,
      long seed,
      DoubleConsumer progress) {
    int steps = steps(scale);
    // Three layers as in the paper, whose width is RoBERTa's.
    TokenClassifier.Config config =
        new TokenClassifier.Config()
            .with(c -> c.vocab(VOCAB).labels(puzzle.labels(length)).length(length))
            .withStack(
                s ->
                    s.layers(scale.pick(1, 3, 3))
                        .width(scale.pick(16, 64, 768))
                        .position(encoding.config))
            .withBlock(b -> b.mixer(mixer(universal, scale.pick(4, 8, 12))));
    // The paper's rate of 7e-5 is for its width; its weights do not decay either.
    TrainingConfig training =
        new TrainingConfig()
            .with(
                t ->
                    t.steps(steps)
                        .batch(VOCAB)
                        .learningRate(scale.pick(5e-3, 2e-3, 7e-5))
                        .schedule(new Schedule(Schedule.Shape.LINEAR, steps * 3 / 20, 0))
                        .optimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0))
                        .evaluateEvery(evaluateEvery(scale))
                        .checkpointEvery(steps)
                        .seed(seed));
    Random.seed(seed);
    try (TokenClassifier model = config.build()) {
      Asked asked = new Asked(model, puzzle, length);
      try (Trainer trainer = new Trainer(model, asked, training, null)) {
        trainer.addListener(
            new Listener() {
              @Override
              public void step(Step step) {
                progress.accept((double) step.step() / steps);
              }

              @Override
              public void evaluation(Evaluation evaluation) {
                asked.note(evaluation.step());
              }
            });
        long start = System.nanoTime();
        trainer.run();
        return asked.outcome((System.nanoTime() - start) / 1e9);
      }
    }
  }

  /** All sequences at once, again and again. */
  private static final class Asked implements Task {
    private final TokenClassifier model;
    private final Tensor ids;
    private final Tensor targets;
    private final List<Double> losses = new ArrayList<>();
    private long solvedAt;

    Asked(TokenClassifier model, Puzzle puzzle, int length) {
      this.model = model;
      this.ids = Tensor.arange(0, VOCAB).unsqueeze(1).expand(VOCAB, length).contiguous();
      this.targets = puzzle.targets(length).expand(VOCAB, length).contiguous();
    }

    @Override
    public Tensor loss(long index) {
      return model.loss(ids, null, targets);
    }

    @Override
    public long unitsPerBatch() {
      return ids.elements();
    }

    @Override
    public String unit() {
      return "tokens";
    }

    @Override
    public Metrics evaluate() {
      losses.add(model.loss(ids, null, targets).item());
      return Metrics.ofLoss(losses.get(losses.size() - 1), "nats");
    }

    /** After an evaluation. */
    void note(long step) {
      if (solvedAt == 0 && accuracy() >= SOLVED) {
        solvedAt = step;
      }
    }

    private double accuracy() {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor best = model.logits(ids, null).argmax(2);
        return best.eq(targets).to(DType.FLOAT64).mean().item();
      }
    }

    Outcome outcome(double seconds) {
      double last = losses.get(losses.size() - 1);
      model.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT64)));
      return new Outcome(accuracy(), last, solvedAt, seconds, List.copyOf(losses));
    }
  }

  // ---- Language modelling

  private static void language(ExperimentContext lab) {
    int seeds = lab.scale().pick(1, 3, 3);
    List<TrainingResult> plain =
        lab.learn(name(Encoding.T5, false), trial(lab.scale(), false), seeds);
    List<TrainingResult> universal =
        lab.learn(name(Encoding.T5, true), trial(lab.scale(), true), seeds);
    lab.claim(
        "URPE learns language better than the same model with T5's biases alone",
        "superior performance to strong baselines in a wide range of applications (abstract)",
        Check.below("loss", TrainingResult.loss(universal), TrainingResult.loss(plain)),
        "Spread over seeds: "
            + Check.number(TrainingResult.spread(universal))
            + " with URPE, "
            + Check.number(TrainingResult.spread(plain))
            + " without.");
    List<List<String>> rows = new ArrayList<>();
    List<Figure.Series> curves = new ArrayList<>();
    for (boolean with : new boolean[] {false, true}) {
      List<TrainingResult> runs = with ? universal : plain;
      String name = name(Encoding.T5, with);
      rows.add(
          Table.row(
              name,
              TrainingResult.loss(runs),
              TrainingResult.spread(runs),
              Seeds.mean(runs, run -> 1e3 * run.seconds() / run.steps()),
              Seeds.mean(runs, run -> run.peakBytes() / 1e6),
              runs.get(0).parameters()));
      curves.add(runs.get(0).curve(name));
    }
    lab.table(
        new Table(
            "Language models at equal updates",
            List.of("positions", "loss (nats a byte)", "spread", "ms a step", "peak MB", "weights"),
            rows));
    lab.figure(
        new Figure(
            "Language models, first seed", "updates", "held-out loss", false, false, curves));
  }

  private static LanguageTrial trial(Scale scale, boolean universal) {
    int steps = scale.pick(3, 400, 40_000);
    CausalLm.Config model =
        new CausalLm.Config()
            .withLength(scale.pick(24, 128, 512))
            .withStack(
                s ->
                    s.layers(scale.pick(1, 4, 12))
                        .width(scale.pick(16, 128, 768))
                        .position(Encoding.T5.config))
            .withBlock(b -> b.mixer(mixer(universal, scale.pick(4, 4, 12))));
    TrainingConfig training =
        new TrainingConfig()
            .with(
                t ->
                    t.steps(steps)
                        .batch(scale.pick(4, 16, 32))
                        .evaluateEvery(Math.max(1, steps / 8))
                        .checkpointEvery(steps));
    return new LanguageTrial(model, training, scale.pick(2, 40, 40), null);
  }
}
