package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.column;
import static dev.jformer.studies.Column.fixed;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.AlteredDerivation;
import dev.jformer.data.algorithm.EditDistance;
import dev.jformer.data.algorithm.Expressions;
import dev.jformer.data.algorithm.LinearEquations;
import dev.jformer.data.algorithm.LongestIncreasing;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.algorithm.ProblemMixture;
import dev.jformer.mixer.attention.SoftmaxAttention;
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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
   * A task at its lengths.
   *
   * @param unit of a length
   * @param trained lengths that are trained on, each in proportion to itself
   * @param longer lengths that are only tested
   * @param updates of the models that answer with a derivation
   * @param paper what the paper measured
   */
  private record Setting(
      String name,
      String unit,
      Task task,
      List<Integer> trained,
      List<Integer> longer,
      int updates,
      String paper) {
    List<Integer> lengths() {
      List<Integer> all = new ArrayList<>(trained);
      all.addAll(longer);
      return all;
    }

    int longest() {
      return trained.get(trained.size() - 1);
    }

    /** Problems of all lengths, of which the trained ones are drawn. */
    ProblemMixture mixture(boolean derivation) {
      return new ProblemMixture(
          lengths().stream().map(length -> task.of(length, derivation)).toList(),
          lengths().stream()
              .map(length -> trained.contains(length) ? (double) length : 0.0)
              .toList());
    }
  }

  /** What an arm learns: with which answers, and how much deeper. */
  private record Way(boolean derivation, AlteredDerivation.Change change, boolean deeper) {
    Way(boolean derivation) {
      this(derivation, null, false);
    }

    Problem of(ProblemMixture problem) {
      return change == null ? problem : new AlteredDerivation(problem, change);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    Map<String, Measured<AlgorithmTrial.Result>> all = new LinkedHashMap<>();
    for (Setting setting : settings(lab)) {
      Measured<AlgorithmTrial.Result> runs = learn(lab, setting);
      all.put(setting.name(), runs);
      claims(lab, setting, runs);
      lab.table(table(setting, runs));
      lab.figure(
          Figure.of(
              "Right answers by length, " + setting.name(),
              setting.unit(),
              "%",
              runs.means(setting.lengths(), CotMysteryStudy::percents)));
    }
    lab.note(
        "%d layers of width %d, rotary positions, batches of %d new samples. Lengths are trained on"
            + " in proportion to themselves, as in the paper's study of longer expressions; its"
            + " other models each learn one length. Answers are greedy, %d of each length, and only"
            + " the result counts.",
        layers(lab), width(lab), batch(lab), answers(lab));
    lab.note(
        "The paper trains 3 layers of width 256 on 1,000,000 samples for 100 epochs, at moduli of"
            + " 11 and lengths of 4 to 6 operations, 3 to 5 unknowns, 50 to 100 numbers and words"
            + " of 12 to 20 letters. Here tasks are as small as can be learned in a minute. At"
            + " these lengths direct answers are within reach of more computing: the paper's own"
            + " models of 5 layers answer 96.8 %% of 4 operations at once.");
    lab.note(
        "Equal compute: twice the layers, and as many updates more as direct answers are shorter."
            + " Fillers and shuffled derivations are controls of ours, on two of the tasks. Sizes"
            + " and numbers of updates were set after trial runs.");
  }

  private static List<Setting> settings(ExperimentContext lab) {
    return List.of(
        new Setting(
            "expressions modulo " + lab.pick(3, 5, 11),
            "operations",
            (length, steps) -> new Expressions(length, lab.pick(3, 5, 11), steps),
            lab.pick(
                List.of(1, 2), List.of(1, 2, 3, 4), IntStream.rangeClosed(1, 6).boxed().toList()),
            lab.pick(List.of(3), List.of(5, 6), List.of(7, 8, 9)),
            lab.pick(2, 2000, 50_000),
            "1.0000 with derivations; 0.729 at once, 4 operations, 3 layers (0.968 with 5)"),
        new Setting(
            "equations modulo " + lab.pick(3, 3, 11),
            "unknowns",
            (length, steps) -> new LinearEquations(length, lab.pick(3, 3, 11), steps),
            lab.pick(List.of(2), List.of(1, 2, 3), List.of(1, 2, 3, 4)),
            List.of(),
            lab.pick(2, 900, 50_000),
            "1.0 with derivations; 0.023 at once, 3 unknowns, 3 layers (0.038 with 5)"),
        new Setting(
            "longest increasing subsequence",
            "numbers",
            (length, steps) -> new LongestIncreasing(length, lab.pick(15, 40, 150), steps),
            lab.pick(List.of(4, 5), List.of(4, 7, 10), List.of(20, 50, 80)),
            List.of(),
            lab.pick(2, 2000, 50_000),
            "0.9946 with derivations; 0.644 at once, 50 numbers, 3 layers (0.959 with 5)"),
        new Setting(
            "edit distance",
            "letters",
            (length, steps) -> new EditDistance(length, lab.pick(2, 2, 8), steps),
            lab.pick(List.of(4), List.of(4, 5), List.of(8, 12)),
            List.of(),
            lab.pick(2, 1000, 50_000),
            "1.0 with derivations; 0.752 at once, 12 letters, 3 layers (0.934 with 5)"));
  }

  private static Measured<AlgorithmTrial.Result> learn(ExperimentContext lab, Setting setting) {
    Arms<Way> arms =
        Arms.of(STEPS, new Way(true))
            .control(DIRECT, new Way(false))
            .control(DEEPER, new Way(false, null, true));
    if (isControlled(setting)) {
      arms =
          arms.control(FILLER, new Way(true, AlteredDerivation.Change.FILLER, false))
              .control(SHUFFLED, new Way(true, AlteredDerivation.Change.SHUFFLED, false));
    }
    return arms.learn(lab, setting.name(), lab.pick(1, 2, 4), way -> trial(lab, setting, way));
  }

  /** Whether derivations that say nothing are tried on a task. */
  private static boolean isControlled(Setting setting) {
    return setting.unit().equals("operations") || setting.unit().equals("numbers");
  }

  private static AlgorithmTrial trial(ExperimentContext lab, Setting setting, Way way) {
    ProblemMixture problem = setting.mixture(way.derivation());
    List<Problem> tests =
        IntStream.range(0, setting.lengths().size())
            .<Problem>mapToObj(i -> way.of(problem.only(i)))
            .toList();
    int depth = way.deeper() ? 2 : 1;
    double longer =
        way.deeper()
            ? (double) setting.mixture(true).mostSymbols() / (depth * problem.mostSymbols())
            : 1;
    int updates = (int) Math.round(setting.updates() * Math.max(1, longer));
    return new AlgorithmTrial(
        way.of(problem),
        0,
        false,
        tests,
        answers(lab),
        Small.language(
            layers(lab) * depth,
            width(lab),
            problem.mostSymbols(),
            new Rope.Config(),
            new SoftmaxAttention.Config(lab.pick(2, 4, 4), 0)),
        Small.training(updates, batch(lab), 1)
            .withLearningRate(lab.pick(1e-3, 3e-3, 1e-3))
            .withEvaluateEvery(updates));
  }

  private static void claims(
      ExperimentContext lab, Setting setting, Measured<AlgorithmTrial.Result> runs) {
    int last = setting.trained().size() - 1;
    String length = setting.longest() + " " + setting.unit();
    lab.claim(
        "Of the task %s, models answer %s with derivations, to %.0f %%"
            .formatted(setting.name(), length, SOLVED),
        setting.paper(),
        DIRECT,
        Check.atLeast("accuracy (%)", percent(runs, STEPS, last), SOLVED));
    lab.claim(
        "Of the task %s, direct answers to %s are more than %.0f points below derivations"
            .formatted(setting.name(), length, FAR),
        setting.paper(),
        STEPS,
        below(runs, DIRECT, last));
    lab.claim(
        "Of the task %s, direct answers to %s with twice the layers, and as much computing as a"
                .formatted(setting.name(), length)
            + " derivation takes, are more than %.0f points below derivations".formatted(FAR),
        setting.paper(),
        STEPS,
        below(runs, DEEPER, last));
    if (isControlled(setting)) {
      lab.claim(
          "Of the task %s, derivations help by what they say: fillers and shuffled ones stay more"
                  .formatted(setting.name())
              + " than %.0f points below".formatted(FAR),
          "none; a control of ours",
          STEPS,
          Check.each(List.of(FILLER, SHUFFLED), arm -> below(runs, arm, last)));
    }
    if (!setting.longer().isEmpty()) {
      int most = setting.lengths().size() - 1;
      lab.claim(
          "Of the task %s, derivations carry over from up to %d to %s %s better than direct answers"
              .formatted(
                  setting.name(), setting.longest(), setting.longer().get(0), setting.unit()),
          "derivations extrapolate to lengths beyond those trained on (section 5)",
          DIRECT,
          Check.above(
              "accuracy (%)", percent(runs, STEPS, last + 1), percent(runs, DIRECT, last + 1)),
          Check.sentence(
              "At %s: %s against %s.",
              setting.lengths().get(most),
              percent(runs, STEPS, most),
              percent(runs, DIRECT, most)));
    }
  }

  private static Check below(Measured<AlgorithmTrial.Result> runs, String arm, int test) {
    return Check.below(
        "accuracy (%), " + arm + ", against derivations less " + Math.round(FAR),
        percent(runs, arm, test),
        percent(runs, STEPS, test).plus(-FAR));
  }

  private static Estimate percent(Measured<AlgorithmTrial.Result> runs, String arm, int test) {
    return runs.of(arm, run -> run.percent(test));
  }

  private static List<Double> percents(AlgorithmTrial.Result run) {
    return run.accuracies().stream().map(share -> 100 * share).toList();
  }

  private static Table table(Setting setting, Measured<AlgorithmTrial.Result> runs) {
    List<Integer> lengths = setting.lengths();
    List<Column<AlgorithmTrial.Result>> columns =
        new ArrayList<>(
            Column.<AlgorithmTrial.Result>each(
                lengths.size(),
                i ->
                    lengths.get(i - 1)
                        + (setting.longer().contains(lengths.get(i - 1)) ? ", not trained on" : "")
                        + " (%)",
                CotMysteryStudy::percents));
    columns.add(column("loss (nats a symbol)", run -> run.course().finalLoss()));
    columns.add(fixed("weights", run -> run.course().parameters()));
    columns.add(fixed("updates", run -> run.course().steps()));
    columns.add(column("seconds", run -> run.course().seconds()));
    return runs.table(
        "Right answers, %s, by the number of %s".formatted(setting.name(), setting.unit()),
        "answers",
        columns);
  }

  private static int answers(ExperimentContext lab) {
    return lab.pick(2, 500, 10_000);
  }

  private static int layers(ExperimentContext lab) {
    return lab.pick(1, 3, 3);
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 256);
  }

  private static int batch(ExperimentContext lab) {
    return lab.pick(4, 32, 512);
  }
}
