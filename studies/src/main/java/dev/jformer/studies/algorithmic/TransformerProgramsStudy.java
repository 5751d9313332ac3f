package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.Labelling;
import dev.jformer.data.algorithm.LabellingTask;
import dev.jformer.data.algorithm.TokenLabels;
import dev.jformer.data.label.LabelledSequence;
import dev.jformer.data.label.LabelledSequences;
import dev.jformer.data.label.MadeSequences;
import dev.jformer.metrics.Metric;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.TokenClassifier;
import dev.jformer.model.program.TransformerProgram;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.JavaWriter;
import dev.jformer.run.ProgramJob;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.Trial;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.trial.Small;
import dev.jformer.studies.trial.TaskTrial;
import dev.jformer.studies.trial.TrainingResult;
import dev.jformer.train.AdamW;
import dev.jformer.train.Schedule;
import dev.jformer.train.SequenceLabelling;
import dev.jformer.train.TrainingConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * Learning Transformer Programs (<a href="https://arxiv.org/abs/2306.01128">arXiv 2306.01128</a>):
 * its RASP tasks at its sizes, each learned as a program and by a standard Transformer; the
 * programs are written as Java, compiled, and run on every test input. Then in-context recall,
 * named entities and classes of questions.
 */
@AutoService(Study.class)
public final class TransformerProgramsStudy implements Study {
  /** Sequences of the training that a program for guessing is made of. */
  private static final int GUESSED_FROM = 5000;

  /** A guess that is no label. */
  private static final int UNSEEN = -2;

  /**
   * What was measured of one task.
   *
   * @param labels number of test labels
   * @param model right labels of the trained model, whose choices are made
   * @param program right labels of the program that is read off it
   * @param agreeing labels that both give alike
   * @param shortened right labels of the program without what decides nothing
   * @param compiled labels that the compiled Java programs, whole and shortened, give as these two
   * @param steps of the program
   * @param shortSteps of the shortened program
   * @param lines of the program as Java
   * @param shortLines of the shortened program as Java
   * @param guessed right labels if each token at each position gets its most frequent label
   * @param seconds of the training
   */
  public record Outcome(
      long labels,
      long model,
      long program,
      long agreeing,
      long shortened,
      long compiled,
      int steps,
      int shortSteps,
      int lines,
      int shortLines,
      long guessed,
      double seconds) {
    Estimate percent(long right) {
      return Estimate.ofItems(right, labels).times(100);
    }
  }

  /** The program's accuracies that the paper reports, in percent. */
  private static final Map<LabellingTask, Double> PAPER = new LinkedHashMap<>();

  static {
    PAPER.put(LabellingTask.REVERSE, 99.8);
    PAPER.put(LabellingTask.HISTOGRAM, 100.0);
    PAPER.put(LabellingTask.DOUBLE_HISTOGRAM, 98.4);
    PAPER.put(LabellingTask.SORT, 99.8);
    PAPER.put(LabellingTask.MOST_FREQUENT, 75.7);
    PAPER.put(LabellingTask.DYCK_1, 99.3);
    PAPER.put(LabellingTask.DYCK_2, 99.1);
  }

  /** What a program may lack of the paper's accuracy, and of the standard Transformer's. */
  private static final double MARGIN = 3;

  @Override
  public void run(ExperimentContext lab) {
    WordPrograms words = new WordPrograms(lab);
    List<LabellingTask> tasks =
        lab.pick(
            List.of(LabellingTask.REVERSE),
            List.copyOf(PAPER.keySet()),
            List.copyOf(PAPER.keySet()));
    Measured<Outcome> runs =
        Arms.named(tasks, TransformerProgramsStudy::name)
            .learn(lab, 1, task -> trial(lab, TokenLabels.ofPaper(task)));
    Measured<TrainingResult> standard =
        Arms.named(tasks, TransformerProgramsStudy::name)
            .learn(lab, "standard", 1, task -> standard(lab, TokenLabels.ofPaper(task)));
    for (LabellingTask task : tasks) {
      claims(lab, task, runs.first(name(task)), standard.first(name(task)));
    }
    long compiled = runs.arms().stream().mapToLong(arm -> arm.first().compiled()).sum();
    long all = 2 * runs.arms().stream().mapToLong(arm -> arm.first().labels()).sum();
    lab.claim(
        "The programs, written as Java and compiled, give the labels of the programs on every test"
            + " input",
        "programs can be converted into human-readable ones (abstract)",
        Check.atMost("labels that differ", (double) (all - compiled), 0));
    lab.claim(
        "The programs give the labels of the trained models",
        "",
        Check.each(
            runs.arms(),
            arm ->
                Check.atLeast(
                    "% of labels alike, " + arm.name(),
                    arm.first().percent(arm.first().agreeing()),
                    99.5)),
        "They can differ where scores, which have three decimals in a program, are nearly equal,"
            + " and where sums of numbers occur that no typical input had.");
    shortening(lab, runs);
    tables(lab, runs, standard);
    recall(lab);
    words.run();
    notes(lab);
  }

  private static void claims(
      ExperimentContext lab, LabellingTask task, Outcome outcome, TrainingResult standard) {
    double paper = PAPER.get(task);
    lab.claim(
        "A program learns %s within %s points of the paper's accuracy"
            .formatted(name(task), Check.number(MARGIN)),
        Check.number(paper) + " %",
        "most frequent label",
        Check.all(
            Check.atLeast("accuracy (%)", outcome.percent(outcome.program()), paper - MARGIN),
            Check.above(
                "guessing (%)",
                outcome.percent(outcome.program()), outcome.percent(outcome.guessed()))));
    lab.claim(
        "A program for %s is as accurate as a standard Transformer, within %s points"
            .formatted(name(task), Check.number(MARGIN)),
        "comparable to standard Transformers of similar size (abstract)",
        Check.atLeast(
            "accuracy (%)",
            outcome.percent(outcome.program()),
            outcome.percent(right(standard, outcome)).plus(-MARGIN)));
  }

  private static void shortening(ExperimentContext lab, Measured<Outcome> runs) {
    lab.claim(
        "Programs without what decides nothing on examples of the training are shorter and not"
            + " less accurate by more than half a point",
        "",
        "whole program",
        Check.each(
            runs.arms(),
            arm ->
                Check.all(
                    Check.below(
                        "lines, " + arm.name(), arm.first().shortLines(), arm.first().lines()),
                    Check.atLeast(
                        "accuracy (%)",
                        arm.first().percent(arm.first().shortened()).value(),
                        arm.first().percent(arm.first().program()).value() - 0.5))));
  }

  private static void tables(
      ExperimentContext lab, Measured<Outcome> runs, Measured<TrainingResult> standard) {
    lab.table(
        runs.table(
            "Accuracy on test sequences of which none is trained on, %",
            "task",
            accuracy("program", Outcome::program),
            Column.named("paper", arm -> PAPER.get(task(arm))),
            Column.named(
                "standard Transformer",
                arm -> percent(runs.first(arm), right(standard.first(arm), runs.first(arm)))),
            accuracy("most frequent label", Outcome::guessed),
            accuracy("shortened program", Outcome::shortened),
            fixed("test labels", Outcome::labels),
            column("seconds of training", Outcome::seconds)));
    lab.table(
        runs.table(
            "Size of the programs",
            "task",
            fixed("steps", Outcome::steps),
            fixed("steps, shortened", Outcome::shortSteps),
            fixed("lines of Java", Outcome::lines),
            fixed("lines of Java, shortened", Outcome::shortLines)));
  }

  /** How many of the labels a standard Transformer gives right. */
  private static long right(TrainingResult standard, Outcome outcome) {
    return Math.round(standard.metric(Metric.ACCURACY) * outcome.labels());
  }

  private static Column<Outcome> accuracy(String title, ToLongFunction<Outcome> right) {
    return fixed(title, outcome -> percent(outcome, right.applyAsLong(outcome)));
  }

  /** Without the spread of single labels, which says nothing of differences between models. */
  private static double percent(Outcome outcome, long right) {
    return outcome.percent(right).value();
  }

  private static void recall(ExperimentContext lab) {
    String name = "in-context recall";
    Measured<Outcome> runs =
        Arms.of(name, TokenLabels.ofPaper(LabellingTask.RECALL))
            .learn(lab, lab.pick(1, 3, 10), problem -> trial(lab, problem));
    Outcome best =
        runs.arm(name).runs().stream()
            .max(Comparator.comparingLong(Outcome::program))
            .orElseThrow();
    lab.claim(
        "The best of some programs of two heads recalls numbers from the context",
        "solved by a program of two attention heads (section 4)",
        "most frequent label",
        Check.all(
            Check.atLeast("accuracy (%)", best.percent(best.program()), 99),
            Check.above(
                "guessing (%)", best.percent(best.program()), best.percent(best.guessed()))));
    lab.table(
        runs.table(
            "In-context recall, by seed",
            "task",
            Column.eachSeed("program (%)", run -> run.percent(run.program()).value()),
            Column.eachSeed("most frequent label (%)", run -> run.percent(run.guessed()).value()),
            Column.eachSeed("lines of Java, shortened", Outcome::shortLines)));
  }

  private static void notes(ExperimentContext lab) {
    lab.note(
        "Sizes are the paper's: 3 layers with 4 categorical and 4 numerical heads and 2 + 2"
            + " perceptrons of 64 units, sequences of up to 8 tokens (16 brackets and a first token"
            + " less one for Dyck languages), learning rate 0.05, temperature 3 to 0.01. The"
            + " paper trains for 250 epochs of 16,200 sequences in batches of 512 and reports the"
            + " best of five seeds; here it is one seed and %,d updates with batches of %d, %,d for"
            + " Dyck languages, whose sequences are twice as long, and %,d for recall.",
        steps(lab, LabellingTask.REVERSE),
        batch(lab),
        steps(lab, LabellingTask.DYCK_1),
        steps(lab, LabellingTask.RECALL));
    lab.note(
        "Accuracy is that of labels, as the paper's. Test sequences are different ones, a tenth of"
            + " all that there are; long ones are therefore more frequent among them than in the"
            + " training, where lengths are drawn evenly.");
    lab.note(
        "The standard Transformer has 3 layers, width 64 and 8 heads, and is trained in %,d updates"
            + " of the same size at learning rate 0.001. It sees all tokens of a sequence, those"
            + " after a bracket too.",
        standardSteps(lab));
  }

  private static int steps(ExperimentContext lab, LabellingTask task) {
    return switch (task) {
      case DYCK_1, DYCK_2 -> lab.pick(5, 2000, 8000);
      case RECALL -> lab.pick(5, 4000, 15_000);
      default -> lab.pick(5, 4000, 8000);
    };
  }

  private static int standardSteps(ExperimentContext lab) {
    return lab.pick(5, 1500, 8000);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(8, 512, 512);
  }

  private static String name(LabellingTask task) {
    return task.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  private static LabellingTask task(String name) {
    return LabellingTask.valueOf(name.toUpperCase(Locale.ROOT).replace(' ', '_'));
  }

  private static Trial<Outcome> trial(ExperimentContext lab, TokenLabels problem) {
    TransformerProgram.Config fitted =
        ProgramJob.fitted(new TransformerProgram.Config(), MadeSequences.scheme(problem));
    TransformerProgram.Config model =
        problem.task() == LabellingTask.RECALL
            ? fitted.with(
                c ->
                    c.layers(2)
                        .categoricalHeads(1)
                        .numericalHeads(0)
                        .categoricalMlps(0)
                        .numericalMlps(0))
            : fitted;
    int steps = steps(lab, problem.task());
    TrainingConfig training =
        Small.training(steps, batch(lab), 1)
            .withLearningRate(0.05)
            .withClip(0)
            .withSchedule(new Schedule(Schedule.Shape.CONSTANT, 0, 0))
            .withOptimizer(new AdamW.Config(0.9, 0.999, 1e-8, 0))
            .withEvaluateEvery(steps);
    return new TaskTrial<TransformerProgram, SequenceLabelling<TransformerProgram>>(
            model::build,
            training,
            (built, session) ->
                new SequenceLabelling<>(
                    TransformerProgram.class, built, sequences(lab, problem, session.seed())))
        .examined(
            Outcome.class,
            (built, task, result) ->
                outcome(
                    built,
                    task.sequences(),
                    guessed(
                        new MadeSequences(problem, 0, GUESSED_FROM, 1, 1).training(0),
                        task.sequences().heldOut()),
                    result.seconds()));
  }

  private static MadeSequences sequences(ExperimentContext lab, Labelling problem, long seed) {
    return new MadeSequences(
        problem, lab.pick(40, 10_000, 16_000), batch(lab), seed, lab.pick(20, 1500, 1500));
  }

  /** A standard Transformer learns the same task; its metric is the accuracy. */
  private static Trial<TrainingResult> standard(ExperimentContext lab, TokenLabels problem) {
    TokenClassifier.Config model =
        new TokenClassifier.Config()
            .with(
                c ->
                    c.vocab(problem.tokens().size())
                        .labels(problem.labels().size())
                        .length(problem.longest()))
            .withStack(s -> s.layers(lab.pick(1, 3, 3)).width(lab.pick(16, 64, 64)))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(lab.pick(2, 8, 8), 0)));
    int steps = standardSteps(lab);
    return new TaskTrial<TokenClassifier, SequenceLabelling<TokenClassifier>>(
        session -> model.build(),
        Small.training(steps, batch(lab), 1).withEvaluateEvery(steps),
        (built, session) ->
            new SequenceLabelling<>(
                TokenClassifier.class, built, sequences(lab, problem, session.seed())),
        (built, task) -> Map.of(Metric.ACCURACY, task.evaluate().get(Metric.ACCURACY)));
  }

  private static Outcome outcome(
      TransformerProgram model, LabelledSequences sequences, long guessed, double seconds) {
    DiscreteProgram whole = ProgramJob.program(model, sequences, "Learned", false);
    DiscreteProgram shortened = ProgramJob.program(model, sequences, "Learned", true);
    List<LabelledSequence> test = sequences.heldOut();
    long labels = test.stream().mapToLong(TransformerProgramsStudy::labels).sum();
    double accuracy =
        SequenceLabelling.evaluate(model, sequences.scheme(), test).get(Metric.ACCURACY);
    return new Outcome(
        labels,
        Math.round(accuracy * labels),
        ProgramJob.right(whole, test),
        agreeing(model, whole, test),
        ProgramJob.right(shortened, test),
        compiled(whole, test) + compiled(shortened, test),
        whole.steps().size(),
        shortened.steps().size(),
        lines(whole),
        lines(shortened),
        guessed,
        seconds);
  }

  private static long labels(LabelledSequence sequence) {
    return Arrays.stream(sequence.labels()).filter(label -> label >= 0).count();
  }

  private static int lines(DiscreteProgram program) {
    return (int) JavaWriter.write(program).lines().count();
  }

  /** Labels that the model gives as the program does, of those that count. */
  private static long agreeing(
      TransformerProgram model, DiscreteProgram program, List<LabelledSequence> test) {
    List<LabelledSequence> asked = new ArrayList<>();
    for (LabelledSequence sequence : test) {
      int[] given = program.run(sequence.tokens());
      Arrays.setAll(given, i -> sequence.labels()[i] < 0 ? sequence.labels()[i] : given[i]);
      asked.add(new LabelledSequence(sequence.tokens(), given, sequence.continues()));
    }
    double alike = SequenceLabelling.evaluate(model, program.scheme(), asked).get(Metric.ACCURACY);
    return Math.round(alike * asked.stream().mapToLong(TransformerProgramsStudy::labels).sum());
  }

  /** Labels that compiled Java gives as the program does, of those that count. */
  private static long compiled(DiscreteProgram program, List<LabelledSequence> test) {
    long same = 0;
    try (CompiledProgram java = new CompiledProgram(program)) {
      for (LabelledSequence sequence : test) {
        List<String> tokens =
            Arrays.stream(sequence.tokens()).mapToObj(program.tokens()::get).toList();
        List<String> expected = program.run(tokens);
        List<String> given = java.run(tokens);
        for (int i = 0; i < expected.size(); i++) {
          same += sequence.labels()[i] >= 0 && expected.get(i).equals(given.get(i)) ? 1 : 0;
        }
      }
    }
    return same;
  }

  /** Right labels if each token at each position gets the label that it has most often. */
  private static long guessed(List<LabelledSequence> training, List<LabelledSequence> test) {
    Map<List<Integer>, Map<Integer, Integer>> counts = new HashMap<>();
    for (LabelledSequence sequence : training) {
      for (int i = 0; i < sequence.labels().length; i++) {
        counts
            .computeIfAbsent(List.of(sequence.tokens()[i], i), key -> new HashMap<>())
            .merge(sequence.labels()[i], 1, Integer::sum);
      }
    }
    long right = 0;
    for (LabelledSequence sequence : test) {
      for (int i = 0; i < sequence.labels().length; i++) {
        Map<Integer, Integer> seen =
            counts.getOrDefault(List.of(sequence.tokens()[i], i), Map.of(UNSEEN, 1));
        int guess =
            seen.entrySet().stream().max(Map.Entry.comparingByValue()).orElseThrow().getKey();
        int label = sequence.labels()[i];
        right += label >= 0 && label == guess ? 1 : 0;
      }
    }
    return right;
  }
}
