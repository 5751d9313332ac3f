package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.AlteredDerivation;
import dev.jformer.data.algorithm.EditDistance;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Expressions;
import dev.jformer.data.algorithm.LinearEquations;
import dev.jformer.data.algorithm.LongestIncreasing;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.algorithm.ProblemMixture;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.Rope;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.evidence.Table;
import dev.jformer.studies.trial.AlgorithmTrial;
import dev.jformer.studies.trial.Small;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Towards Revealing the Mystery behind Chain of Thought: A Theoretical Perspective (<a
 * href="https://arxiv.org/abs/2305.15408">arXiv 2305.15408</a>): four tasks learned with
 * derivations and without, by length; deeper models that answer at once; derivations that say
 * nothing or stand in no order; expressions that are longer than those trained on.
 */
@AutoService(Study.class)
public final class CotMysteryStudy implements Study {
  private static final String STEPS = "derivation";
  private static final String DIRECT = "direct answer";
  private static final String DEEPER = "direct answer, equal compute";
  private static final String FILLER = "filler tokens";
  private static final String SHUFFLED = "shuffled derivation";
  private static final double SOLVED = 99;

  /** How many percentage points are far. */
  private static final double FAR = 20;

  /** Makes a problem of a task. */
  private interface Task {
    /** A problem of a length, with a derivation or without. */
    Problem of(int length, boolean derivation);
  }

  /**
   * A task at a length.
   *
   * @param unit of the length
   * @param updates of the models that answer with a derivation
   * @param answers number of held-out prompts
   * @param deeper whether deeper models of equal compute are tried too
   * @param controlled whether derivations that say nothing are tried too
   * @param paper what the paper measured
   */
  private record Setting(
      String name,
      String unit,
      Task task,
      int length,
      int updates,
      int answers,
      boolean deeper,
      boolean controlled,
      String paper) {
    String sized() {
      return length + " " + unit;
    }
  }

  /** What an arm learns: with which answers, and how much deeper. */
  private record Way(boolean derivation, AlteredDerivation.Change change, boolean deeper) {
    Way(boolean derivation) {
      this(derivation, null, false);
    }

    Problem of(Problem problem) {
      return change == null ? problem : new AlteredDerivation(problem, change);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    for (Setting setting : settings(lab)) {
      Measured<AlgorithmTrial.Result> runs = learn(lab, setting);
      claims(lab, setting, runs);
      lab.table(table("Right answers, %s, %s".formatted(setting.name(), setting.sized()), runs));
    }
    longer(lab);
    lab.note(
        "%d layers of width %d, weights drawn with deviation %s, rotary positions, batches of %d"
            + " new samples. Answers to %d held-out prompts (100 systems of equations) are greedy,"
            + " and only the result counts.",
        layers(lab), width(lab), deviation(lab), batch(lab), answers(lab));
    lab.note(
        "The paper trains 3 layers of width 256 on 1,000,000 samples for 100 epochs, at moduli of"
            + " 11 and lengths of 4 to 6 operations, 3 to 5 unknowns, 50 to 100 numbers and words"
            + " of 12 to 20 letters. Here moduli and lengths are small, and a derivation is trained"
            + " for some minutes. What is said of direct answers is said of these lengths and"
            + " depths: the paper's own models of 5 layers answer 96.8 % of 4 operations at"
            + " once.");
    lab.note(
        "Equal compute: twice the layers, and as many more updates as direct answers are shorter;"
            + " on a laptop of two of the tasks, with one seed, as other controls and mixed lengths"
            + " have. Fillers and shuffled derivations are controls of ours. Sizes, rates and"
            + " numbers of updates were set after trial runs of derivations; those of expressions"
            + " and edit distances are twice and six times as many as in a first run, in which"
            + " derivations were still being learned (92.8 % and 30.4 % right).");
  }

  private static List<Setting> settings(ExperimentContext lab) {
    int modulus = lab.pick(3, 5, 11);
    boolean deeperEverywhere = lab.pick(true, false, true);
    int two = lab.pick(2, 2, 11);
    return List.of(
        new Setting(
            "expressions modulo " + modulus,
            "operations",
            (length, steps) -> new Expressions(length, modulus, steps),
            lab.pick(2, 3, 5),
            lab.pick(2, 6000, 50_000),
            answers(lab),
            true,
            false,
            "0.9999 with derivations; 0.374 at once, 5 operations, 3 layers (0.699 with 5)"),
        new Setting(
            "equations modulo " + two,
            "unknowns",
            (length, steps) -> new LinearEquations(length, two, steps),
            lab.pick(3, 3, 4),
            lab.pick(2, 1000, 50_000),
            lab.pick(2, 100, 1000),
            deeperEverywhere,
            false,
            "1.0 with derivations; 0.023 at once, 3 unknowns, 3 layers (0.038 with 5)"),
        new Setting(
            "longest increasing subsequence",
            "numbers",
            (length, steps) -> new LongestIncreasing(length, lab.pick(15, 40, 150), steps),
            lab.pick(5, 10, 50),
            lab.pick(2, 2500, 50_000),
            answers(lab),
            true,
            true,
            "0.9946 with derivations; 0.644 at once, 50 numbers, 3 layers (0.959 with 5)"),
        new Setting(
            "edit distance",
            "letters",
            (length, steps) -> new EditDistance(length, lab.pick(1, 1, 8), steps),
            lab.pick(4, 4, 12),
            lab.pick(2, 6000, 50_000),
            answers(lab),
            deeperEverywhere,
            false,
            "1.0 with derivations; 0.752 at once, 12 letters, 3 layers (0.934 with 5)"));
  }

  private static Measured<AlgorithmTrial.Result> learn(ExperimentContext lab, Setting setting) {
    Arms<Way> arms = Arms.of(STEPS, new Way(true)).control(DIRECT, new Way(false));
    if (setting.deeper()) {
      arms = arms.control(DEEPER, new Way(false, null, true)).seeds(DEEPER, fewer(lab));
    }
    if (setting.controlled()) {
      arms =
          arms.control(FILLER, new Way(true, AlteredDerivation.Change.FILLER, false))
              .control(SHUFFLED, new Way(true, AlteredDerivation.Change.SHUFFLED, false))
              .seeds(FILLER, fewer(lab))
              .seeds(SHUFFLED, fewer(lab));
    }
    return arms.learn(
        lab,
        setting.name(),
        seeds(lab),
        way -> {
          Problem problem = setting.task().of(setting.length(), way.derivation());
          int most = setting.task().of(setting.length(), true).mostSymbols();
          double shorter = (double) most / problem.mostSymbols();
          int depth = way.deeper() ? 2 : 1;
          int updates =
              (int) Math.round(setting.updates() * (way.deeper() ? Math.max(1, shorter / 2) : 1));
          return trial(
              lab, way.of(problem), List.of(way.of(problem)), setting.answers(), depth, updates);
        });
  }

  private static AlgorithmTrial trial(
      ExperimentContext lab,
      Problem problem,
      List<Problem> tests,
      int answers,
      int depth,
      int updates) {
    return new AlgorithmTrial(
        problem,
        0,
        ExampleRows.ANSWERS,
        tests,
        answers,
        Small.language(
                layers(lab) * depth,
                width(lab),
                problem.mostSymbols(),
                new Rope.Config(),
                new SoftmaxAttention.Config(lab.pick(2, 4, 4), 0))
            .withBlock(block -> block.init(new BlockContext.Init(deviation(lab), true))),
        Small.training(updates, batch(lab), 1)
            .withLearningRate(lab.pick(1e-3, 2e-3, 1e-3))
            .withEvaluateEvery(updates));
  }

  /** Expressions of several lengths, and longer ones than were trained on. */
  private static void longer(ExperimentContext lab) {
    int longest = lab.pick(1, 3, 6);
    int modulus = lab.pick(3, 5, 11);
    List<Integer> lengths = IntStream.rangeClosed(1, longest + 2).boxed().toList();
    Measured<AlgorithmTrial.Result> runs =
        Arms.of(STEPS, true)
            .control(DIRECT, false)
            .learn(
                lab,
                "mixed lengths",
                fewer(lab),
                steps -> {
                  ProblemMixture mixture =
                      new ProblemMixture(
                          lengths.stream()
                              .<Problem>map(length -> new Expressions(length, modulus, steps))
                              .toList(),
                          lengths.stream().map(n -> n > longest ? 0.0 : (double) n).toList());
                  List<Problem> tests =
                      lengths.stream()
                          .filter(length -> length >= longest)
                          .<Problem>map(length -> mixture.only(length - 1))
                          .toList();
                  return trial(lab, mixture, tests, answers(lab), 1, lab.pick(2, 4000, 50_000));
                });
    List<Integer> tested = IntStream.rangeClosed(longest, longest + 2).boxed().toList();
    lab.claim(
        "Derivations of up to %d operations carry over to %d better than direct answers"
            .formatted(longest, longest + 1),
        "derivations extrapolate to expressions beyond those trained on (section 5)",
        DIRECT,
        Check.above("accuracy (%)", percent(runs, STEPS, 1), percent(runs, DIRECT, 1)),
        Check.sentence(
            "At %s, trained on: %s against %s; at %s: %s against %s.",
            longest,
            percent(runs, STEPS, 0),
            percent(runs, DIRECT, 0),
            longest + 2,
            percent(runs, STEPS, 2),
            percent(runs, DIRECT, 2)));
    lab.table(
        runs.table(
            "Right answers, expressions modulo %d, trained on 1 to %d operations"
                .formatted(modulus, longest),
            "answers",
            Column.<AlgorithmTrial.Result>each(
                tested.size(),
                i -> tested.get(i - 1) + " operations (%)",
                CotMysteryStudy::percents)));
    lab.figure(
        Figure.of(
            "Right answers by length, trained on up to %d operations".formatted(longest),
            "operations",
            "%",
            runs.means(tested, CotMysteryStudy::percents)));
  }

  private static void claims(
      ExperimentContext lab, Setting setting, Measured<AlgorithmTrial.Result> runs) {
    lab.claim(
        "Of the task %s, models answer %s with derivations, to %.0f %%"
            .formatted(setting.name(), setting.sized(), SOLVED),
        setting.paper(),
        DIRECT,
        Check.atLeast("accuracy (%)", percent(runs, STEPS, 0), SOLVED));
    lab.claim(
        "Of the task %s, direct answers to %s are more than %.0f points below derivations"
            .formatted(setting.name(), setting.sized(), FAR),
        setting.paper(),
        STEPS,
        below(runs, DIRECT));
    if (setting.deeper()) {
      lab.claim(
          "Of the task %s, direct answers to %s with twice the layers, and as much computing as a"
                  .formatted(setting.name(), setting.sized())
              + " derivation takes, are more than %.0f points below derivations".formatted(FAR),
          setting.paper(),
          STEPS,
          below(runs, DEEPER));
    }
    if (setting.controlled()) {
      lab.claim(
          "Of the task %s, derivations help by what they say: fillers and shuffled ones stay more"
                  .formatted(setting.name())
              + " than %.0f points below".formatted(FAR),
          "none; a control of ours",
          STEPS,
          Check.each(List.of(FILLER, SHUFFLED), arm -> below(runs, arm)));
    }
  }

  private static Check below(Measured<AlgorithmTrial.Result> runs, String arm) {
    return Check.below(
        "accuracy (%), " + arm + ", against derivations less " + Math.round(FAR),
        percent(runs, arm, 0),
        percent(runs, STEPS, 0).plus(-FAR));
  }

  private static Estimate percent(Measured<AlgorithmTrial.Result> runs, String arm, int test) {
    return runs.of(arm, run -> run.percent(test));
  }

  private static List<Double> percents(AlgorithmTrial.Result run) {
    return run.accuracies().stream().map(share -> 100 * share).toList();
  }

  private static Table table(String title, Measured<AlgorithmTrial.Result> runs) {
    return runs.table(
        title,
        "answers",
        column("right (%)", run -> run.percent(0)),
        Column.eachSeed("by seed (%)", run -> run.percent(0)),
        column("loss (nats a symbol)", run -> run.course().finalLoss()),
        fixed("weights", run -> run.course().parameters()),
        fixed("updates", run -> run.course().steps()),
        column("seconds", run -> run.course().seconds()));
  }

  private static int seeds(ExperimentContext lab) {
    return lab.pick(1, 2, 4);
  }

  /** Seeds of controls. */
  private static int fewer(ExperimentContext lab) {
    return lab.pick(1, 1, 4);
  }

  private static int answers(ExperimentContext lab) {
    return lab.pick(2, 500, 1000);
  }

  private static int layers(ExperimentContext lab) {
    return lab.pick(1, 3, 3);
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 256);
  }

  /** Of the first weights: about 1/√width. */
  private static double deviation(ExperimentContext lab) {
    return lab.pick(0.1, 0.1, 0.06);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(4, 32, 512);
  }
}
