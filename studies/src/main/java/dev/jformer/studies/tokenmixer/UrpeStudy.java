package dev.jformer.studies.tokenmixer;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.eachSeed;

import com.google.auto.service.AutoService;
import dev.jformer.metrics.Metric;
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
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.trial.LanguageTrial;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TokenLabelling;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.TrainingConfig;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

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

    /** All sequences at once. */
    TokenLabelling.Batch batch() {
      Tensor ids = Tensor.arange(0, VOCAB).unsqueeze(1).expand(VOCAB, length);
      Tensor targets = Tensor.arange(0, length).remainder(labels).expand(VOCAB, length);
      return new TokenLabelling.Batch(ids.contiguous(), null, targets.contiguous());
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int length = lab.pick(8, 32, 128);
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

  private static void puzzle(ExperimentContext lab, Puzzle puzzle) {
    Measured<TrainingResult> runs =
        ENCODINGS.learn(
            lab, puzzle.title(), lab.pick(1, 3, 3), encoding -> trial(lab, puzzle, encoding));
    // Judged by the worst seed of those that shall solve it, and the best of those that cannot.
    String paper =
        "relative encodings cannot, whatever the depth and width; URPE is universal (abstract)";
    lab.claim(
        "With URPE the position of identical tokens can be told: " + puzzle.title() + " is solved",
        paper,
        T5,
        Check.each(
            List.of(T5 + URPE, ALIBI + URPE),
            name ->
                Check.atLeast(
                    "accuracy (%) of " + name, Collections.min(right(runs, name)), SOLVED)));
    lab.claim(
        "Relative biases alone do not beat chance in " + puzzle.title(),
        paper,
        Check.each(
            List.of(T5, ALIBI),
            name ->
                Check.all(
                    Check.atMost(
                        "accuracy (%) of " + name,
                        Collections.max(right(runs, name)),
                        puzzle.chance()),
                    Check.atLeast(
                        "its cross-entropy",
                        Collections.min(runs.arm(name).values(TrainingResult::finalLoss)),
                        Math.log(puzzle.labels()) * (1 - 1e-6)))),
        Check.sentence("Chance is %s %%.", puzzle.chance()));
    lab.table(
        runs.table(
            Check.sentence(
                "%s: %s identical tokens, to each %s; chance %s %%",
                puzzle.title(), puzzle.length(), puzzle.target(), puzzle.chance()),
            "positions",
            eachSeed("accuracy by seed (%)", TrainingResult::percentRight),
            eachSeed("cross-entropy by seed (nats)", TrainingResult::finalLoss),
            eachSeed("updates to 99 % by seed", run -> run.metric(SOLVED_AT)),
            column("seconds", TrainingResult::seconds)));
    lab.figure(
        TrainingResult.figure(
            runs, "Learning of " + puzzle.title() + ", first seed", "cross-entropy (nats)"));
  }

  private static List<Double> right(Measured<TrainingResult> runs, String name) {
    return runs.arm(name).values(TrainingResult::percentRight);
  }

  private static Trial<TrainingResult> trial(
      ExperimentContext lab, Puzzle puzzle, Encoding encoding) {
    int steps = lab.pick(12, 800, 40_000);
    int layers = lab.pick(1, 3, 3); // as in the paper, whose width is RoBERTa's
    TokenClassifier.Config model =
        new TokenClassifier.Config()
            .with(c -> c.vocab(VOCAB).labels(puzzle.labels()).length(puzzle.length()))
            .withStack(s -> s.layers(layers).width(lab.pick(16, 64, 768)))
            .withStack(s -> s.position(encoding.position()))
            .withBlock(b -> b.mixer(encoding.mixer(lab.pick(4, 8, 12))));
    TrainingConfig training =
        Small.training(steps, VOCAB, 1)
            .withLearningRate(lab.pick(5e-3, 2e-3, 7e-5)) // the paper's is for its width
            .withSchedule(new Schedule(Schedule.Shape.LINEAR, steps * 3 / 20, 0))
            .withOptimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0)) // no weight decay, as there
            .withEvaluateEvery(Math.max(1, steps / 40));
    return new TaskTrial<>(
        model::build,
        training,
        (built, session) -> {
          TokenLabelling.Batch all = puzzle.batch();
          return new TokenLabelling(built, VOCAB, update -> all, 1, part -> all);
        },
        (built, task) -> {
          List<Double> accuracies = task.accuracies();
          // A model that can only guess learns equal scores, between which float32's rounding would
          // choose.
          built.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT64)));
          double accuracy = task.evaluate().get(Metric.ACCURACY);
          return Map.of(
              "accuracy", accuracy, SOLVED_AT, solvedAt(accuracies, training.evaluateEvery()));
        });
  }

  private static double solvedAt(List<Double> accuracies, int every) {
    return IntStream.range(0, accuracies.size())
        .filter(i -> 100 * accuracies.get(i) >= SOLVED)
        .mapToDouble(i -> (i + 1.0) * every)
        .findFirst()
        .orElse(Double.NaN);
  }

  private static void language(ExperimentContext lab) {
    int steps = lab.pick(3, 400, 40_000);
    Measured<TrainingResult> runs =
        LANGUAGE.learn(
            lab,
            "",
            lab.pick(1, 3, 3),
            encoding ->
                new LanguageTrial(
                    Small.language(
                        lab.pick(1, 4, 12),
                        lab.pick(16, 128, 768),
                        lab.pick(24, 128, 512),
                        encoding.position(),
                        encoding.mixer(lab.pick(4, 4, 12))),
                    Small.training(steps, lab.pick(4, 16, 32), 1)
                        .withEvaluateEvery(Math.max(1, steps / 8)),
                    lab.pick(2, 40, 40)));
    lab.claim(
        "URPE learns language better than the same model with T5's biases alone",
        "superior performance to strong baselines in a wide range of applications (abstract)",
        T5,
        runs.below("loss", T5 + URPE, T5, TrainingResult::finalLoss));
    LanguageTrial.report(lab, runs, "Language models at equal updates", "positions");
  }
}
