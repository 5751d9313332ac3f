package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.eachSeed;

import com.google.auto.service.AutoService;
import dev.jformer.metrics.Metrics;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.attention.Urpe;
import dev.jformer.model.TokenClassifier;
import dev.jformer.position.Alibi;
import dev.jformer.position.Position;
import dev.jformer.position.T5Bias;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.Task;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/**
 * Your Transformer May Not be as Powerful as You Expect (<a
 * href="https://arxiv.org/abs/2205.13401">arXiv 2205.13401</a>): what relative biases alone cannot
 * learn on sequences of identical tokens, and can with URPE; then language modelling with and
 * without.
 */
@AutoService(Study.class)
public final class UrpeStudy implements Study {
  /** Sequences of one token, repeated: as many as there are tokens. */
  private static final int VOCAB = 4;

  /** The accuracy in percent from which on a puzzle counts as solved. */
  private static final double SOLVED = 99;

  private static final String SOLVED_AT = "solved at";
  private static final String T5 = "T5 bias";
  private static final String ALIBI = "ALiBi";
  private static final String URPE = " with URPE";

  /** How the logits of attention, and with URPE its weights too, depend on positions. */
  private record Encoding(Position.Config position, boolean universal) {
    TokenMixer.Config mixer(int heads) {
      return universal ? new Urpe.Config(heads, 0) : new SoftmaxAttention.Config(heads, 0);
    }
  }

  private static final Arms<Encoding> LANGUAGE =
      Arms.ofControl(T5, new Encoding(new T5Bias.Config(), false))
          .arm(T5 + URPE, new Encoding(new T5Bias.Config(), true));
  private static final Arms<Encoding> ENCODINGS =
      LANGUAGE
          .control(ALIBI, new Encoding(new Alibi.Config(), false))
          .arm(ALIBI + URPE, new Encoding(new Alibi.Config(), true));

  /**
   * What is asked of each position of a sequence of identical tokens: its index modulo {@code
   * labels}.
   */
  private record Puzzle(String title, String target, int labels, int length) {
    double chance() {
      return 100.0 / labels;
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int length = lab.scale().pick(8, 32, 128);
    puzzle(lab, new Puzzle("position identification", "the position's index", length, length));
    puzzle(lab, new Puzzle("even-position prediction", "whether the position is even", 2, length));
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

  // ---- Puzzles

  private static void puzzle(ExperimentContext lab, Puzzle puzzle) {
    Measured<TrainingResult> runs =
        ENCODINGS.learn(
            lab,
            puzzle.title(),
            lab.scale().pick(1, 3, 3),
            encoding -> trial(lab.scale(), puzzle, encoding));
    List<Check> solved = new ArrayList<>();
    List<Check> guessed = new ArrayList<>();
    for (Measured.Arm<TrainingResult> arm : runs.arms()) {
      // By the worst seed of those that shall solve it, and the best of those that cannot.
      List<Double> right = arm.values(TrainingResult::percentRight);
      String name = "accuracy (%) of " + arm.name();
      if (arm.control()) {
        double least = Collections.min(arm.values(TrainingResult::finalLoss));
        guessed.add(Check.atMost(name, Collections.max(right), puzzle.chance()));
        guessed.add(
            Check.atLeast("its cross-entropy", least, Math.log(puzzle.labels()) * (1 - 1e-6)));
      } else {
        solved.add(Check.atLeast(name, Collections.min(right), SOLVED));
      }
    }
    String paper =
        "relative encodings cannot, whatever the depth and width; URPE is universal (abstract)";
    lab.claim(
        "With URPE the position of identical tokens can be told: " + puzzle.title() + " is solved",
        paper,
        T5,
        Check.all(solved));
    lab.claim(
        "Relative biases alone do not beat chance in " + puzzle.title(),
        paper,
        Check.all(guessed),
        "Chance is " + Check.number(puzzle.chance()) + " %.");
    lab.table(
        runs.table(
            puzzle.title()
                + ": "
                + puzzle.length()
                + " identical tokens, to each "
                + puzzle.target()
                + "; chance "
                + Check.number(puzzle.chance())
                + " %",
            "positions",
            eachSeed("accuracy by seed (%)", TrainingResult::percentRight),
            eachSeed("cross-entropy by seed (nats)", TrainingResult::finalLoss),
            eachSeed("updates to 99 % by seed", run -> run.metric(SOLVED_AT)),
            column("seconds", TrainingResult::seconds)));
    lab.figure(
        runs.figure(
            "Learning of " + puzzle.title() + ", first seed",
            "updates",
            "cross-entropy (nats)",
            TrainingResult::curve));
  }

  private static Trial<TrainingResult> trial(Scale scale, Puzzle puzzle, Encoding encoding) {
    int steps = scale.pick(12, 800, 40_000);
    // Three layers as in the paper, whose width is RoBERTa's.
    TokenClassifier.Config config =
        new TokenClassifier.Config()
            .with(c -> c.vocab(VOCAB).labels(puzzle.labels()).length(puzzle.length()))
            .withStack(
                s ->
                    s.layers(scale.pick(1, 3, 3))
                        .width(scale.pick(16, 64, 768))
                        .position(encoding.position()))
            .withBlock(b -> b.mixer(encoding.mixer(scale.pick(4, 8, 12))));
    // The paper's rate of 7e-5 is for its width; its weights do not decay either.
    TrainingConfig training =
        Small.training(steps, VOCAB, 1)
            .with(
                t ->
                    t.learningRate(scale.pick(5e-3, 2e-3, 7e-5))
                        .schedule(new Schedule(Schedule.Shape.LINEAR, steps * 3 / 20, 0))
                        .optimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0))
                        .evaluateEvery(Math.max(1, steps / 40)));
    return new TaskTrial<>(
        config::build,
        training,
        (model, session) -> new Solving(model, puzzle, training.evaluateEvery()),
        (model, task) -> {
          // A model that can only guess learns equal scores, between which float32's rounding would
          // choose.
          model.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT64)));
          return Map.of("accuracy", task.accuracy(), SOLVED_AT, task.solvedAt);
        });
  }

  /** All sequences at once, again and again. */
  private static final class Solving implements Task {
    private final TokenClassifier model;
    private final Tensor ids;
    private final Tensor targets;
    private final int every;
    private int evaluations;
    private double solvedAt = Double.NaN;

    Solving(TokenClassifier model, Puzzle puzzle, int every) {
      this.model = model;
      this.every = every;
      Tensor positions = Tensor.arange(0, puzzle.length());
      ids = Tensor.arange(0, VOCAB).unsqueeze(1).expand(VOCAB, puzzle.length()).contiguous();
      targets = positions.remainder(puzzle.labels()).expand(VOCAB, puzzle.length()).contiguous();
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
      evaluations++;
      if (Double.isNaN(solvedAt) && 100 * accuracy() >= SOLVED) {
        solvedAt = (double) evaluations * every;
      }
      return Metrics.ofLoss(loss(0).item(), "nats");
    }

    /** Share of positions whose likeliest label is right. */
    double accuracy() {
      try (Scope scope = Scope.open();
          Mode mode = Autograd.noGrad()) {
        Tensor best = model.logits(ids, null).argmax(2);
        return best.eq(targets).to(DType.FLOAT64).mean().item();
      }
    }
  }

  // ---- Language modelling

  private static void language(ExperimentContext lab) {
    Measured<TrainingResult> runs =
        LANGUAGE.learn(
            lab, "", lab.scale().pick(1, 3, 3), encoding -> language(lab.scale(), encoding));
    lab.claim(
        "URPE learns language better than the same model with T5's biases alone",
        "superior performance to strong baselines in a wide range of applications" + " (abstract)",
        T5,
        runs.below("loss", T5 + URPE, T5, TrainingResult::finalLoss));
    LanguageTrial.report(lab, runs, "Language models at equal updates", "positions");
  }

  private static LanguageTrial language(Scale scale, Encoding encoding) {
    int steps = scale.pick(3, 400, 40_000);
    return new LanguageTrial(
        Small.language(
            scale.pick(1, 4, 12),
            scale.pick(16, 128, 768),
            scale.pick(24, 128, 512),
            encoding.position(),
            encoding.mixer(scale.pick(4, 4, 12))),
        Small.training(steps, scale.pick(4, 16, 32), 1)
            .with(t -> t.evaluateEvery(Math.max(1, steps / 8))),
        scale.pick(2, 40, 40),
        null);
  }
}
