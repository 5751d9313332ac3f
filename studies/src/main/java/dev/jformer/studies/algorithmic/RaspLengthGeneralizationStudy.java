package dev.jformer.studies.algorithmic;

import com.google.auto.service.AutoService;
import dev.jformer.data.algorithm.ExampleRows;
import dev.jformer.data.algorithm.Problem;
import dev.jformer.data.algorithm.SequenceTask;
import dev.jformer.data.algorithm.Sequences;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.ShiftedPosition;
import dev.jformer.rasp.Program;
import dev.jformer.rasp.Programs;
import dev.jformer.studies.Arms;
import dev.jformer.studies.Column;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.Study;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Figure;
import dev.jformer.studies.trial.AlgorithmTrial;
import dev.jformer.studies.trial.Small;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What Algorithms can Transformers Learn? A Study in Length Generalization (<a
 * href="https://arxiv.org/abs/2310.16028">arXiv 2310.16028</a>): small decoders learn tasks on
 * sequences, with positions that begin anywhere, and answer prompts of up to twice the length. The
 * length of each task's RASP-L program stands beside it.
 */
@AutoService(Study.class)
public final class RaspLengthGeneralizationStudy implements Study {
  private static final double SOLVED = 95;
  private static final String COUNT = "count";
  private static final String UNIQUE = "copy, all different";
  private static final String SORT = "sort";
  private static final String COPY = "copy, with repetitions";
  private static final String PARITY = "parity";
  private static final String HINTS = "parity with hints and steps";

  /** The tasks that the paper conjectures to carry over to longer prompts. */
  private static final List<String> CARRY_OVER = List.of(COUNT, UNIQUE, SORT, HINTS);

  /** Programs of tasks; the others have none that is short. */
  private static final Map<String, Program> PROGRAMS =
      Map.of(
          COUNT,
          Programs.count(),
          UNIQUE,
          Programs.copyUnique(),
          SORT,
          Programs.sort(),
          HINTS,
          Programs.parityWithHints());

  /**
   * A task.
   *
   * @param numbers how many different numbers there are
   */
  private record Task(SequenceTask task, int numbers, boolean hints) {
    Sequences of(int shortest, int longest, int places) {
      return new Sequences(task, shortest, longest, numbers, hints, hints ? places : 0);
    }
  }

  @Override
  public void run(ExperimentContext lab) {
    int trained = lab.pick(8, 20, 40);
    List<Integer> lengths = IntStream.of(2, 3, 4).mapToObj(half -> half * trained / 2).toList();
    Measured<AlgorithmTrial.Result> runs =
        Arms.of(COUNT, new Task(SequenceTask.COUNT, lab.pick(100, 1000, 1000), false))
            .arm(UNIQUE, new Task(SequenceTask.COPY_UNIQUE, 100, false))
            .arm(SORT, new Task(SequenceTask.SORT, 100, false))
            .control(COPY, new Task(SequenceTask.COPY, 4, false))
            .control(PARITY, new Task(SequenceTask.PARITY, 2, false))
            .arm(HINTS, new Task(SequenceTask.PARITY, 2, true))
            .learn(lab, lab.pick(1, 1, 3), task -> trial(lab, task, lengths));
    for (Measured.Arm<AlgorithmTrial.Result> arm : runs.arms()) {
      claim(lab, arm, trained, lengths.get(2));
    }
    lab.claim(
        "Hints and steps make the parity carry over to twice the trained length better than none",
        "index hints and a scratchpad turn parity around",
        PARITY,
        Check.above(
            "accuracy (%) at " + lengths.get(2),
            percent(lab, HINTS, runs.first(HINTS), 2),
            percent(lab, PARITY, runs.first(PARITY), 2)));
    List<Column<AlgorithmTrial.Result>> columns =
        new ArrayList<>(
            Column.<AlgorithmTrial.Result>each(
                lengths.size(),
                i -> lengths.get(i - 1) + " numbers (%)",
                result -> result.accuracies().stream().map(share -> 100 * share).toList()));
    columns.add(
        Column.named(
            "operations of its RASP-L program", RaspLengthGeneralizationStudy::operations));
    columns.add(Column.column("seconds", result -> result.course().seconds()));
    lab.table(
        runs.table(
            "Exact answers by length, learned from up to %d numbers".formatted(trained),
            "task",
            columns));
    lab.figure(
        runs.figure(
            "Exact answers by length, first seed",
            "numbers",
            "%",
            (result, name) -> Figure.Series.line(name, lengths, percents(result))));
    lab.note(
        "The paper trains decoders until they are right at the trained lengths, of up to 40 or 50"
            + " numbers; here those of %d layers and width %d get %,d updates. A task that is not"
            + " learned at its own lengths says nothing about longer ones; the first column shows"
            + " which were. Weights begin with a deviation of one over the root of the width. In a"
            + " first run of 1,000 updates, copies of different numbers were not learned at all.",
        lab.pick(1, 3, 6), width(lab), updates(lab));
    lab.note(
        "Answers are greedy and right only as a whole. Positions begin anywhere in training"
            + " (type shifted), in place of the paper's contexts that are filled with samples.");
  }

  private static List<Double> percents(AlgorithmTrial.Result result) {
    return result.accuracies().stream().map(share -> 100 * share).toList();
  }

  private static Object operations(String task) {
    Program program = PROGRAMS.get(task);
    return program == null ? "none that is short" : (Object) program.length();
  }

  private static void claim(
      ExperimentContext lab, Measured.Arm<AlgorithmTrial.Result> arm, int trained, int longest) {
    Estimate far = percent(lab, arm.name(), arm.first(), 2);
    Estimate near = percent(lab, arm.name(), arm.first(), 0);
    boolean carries = CARRY_OVER.contains(arm.name());
    lab.claim(
        carries
            ? "Of the task %s, models are right at twice the trained length as well"
                .formatted(arm.name())
            : "Of the task %s, models are not right at twice the trained length"
                .formatted(arm.name()),
        carries ? "generalises (figure 1)" : "does not generalise (figure 1)",
        "the other tasks",
        carries
            ? Check.atLeast("accuracy (%) at " + longest, far, SOLVED)
            : Check.all(
                Check.below("accuracy (%) at " + longest, far, SOLVED),
                Check.above("accuracy (%) at " + trained, near, far)),
        Check.sentence("At %s numbers: %s.", trained, near));
  }

  private static Estimate percent(
      ExperimentContext lab, String task, AlgorithmTrial.Result result, int test) {
    int answers = answers(lab, task.equals(COUNT));
    return Estimate.ofItems(Math.round(result.accuracies().get(test) * answers), answers)
        .times(100);
  }

  /** Answers to each length; there are fewer prompts to count than others. */
  private static int answers(ExperimentContext lab, boolean counts) {
    return counts ? lab.pick(3, 50, 50) : lab.pick(3, 200, 1000);
  }

  private static int updates(ExperimentContext lab) {
    return lab.pick(3, 4000, 20_000);
  }

  private static int width(ExperimentContext lab) {
    return lab.pick(16, 64, 256);
  }

  private static AlgorithmTrial trial(ExperimentContext lab, Task task, List<Integer> lengths) {
    int places = lengths.get(2);
    List<Problem> tests = new ArrayList<>();
    lengths.forEach(length -> tests.add(task.of(length, length, places)));
    CausalLm.Config model =
        Small.language(
                lab.pick(1, 3, 6),
                width(lab),
                task.of(1, places, places).mostSymbols(),
                new ShiftedPosition.Config(),
                new SoftmaxAttention.Config(lab.pick(2, 4, 8), 0))
            .withBlock(b -> b.init(new BlockContext.Init(1 / Math.sqrt(width(lab)), true)));
    return new AlgorithmTrial(
        task.of(1, lengths.get(0), places),
        0,
        ExampleRows.ANSWERS,
        tests,
        answers(lab, task.task() == SequenceTask.COUNT),
        model,
        Small.training(updates(lab), lab.pick(4, 64, 256), 1)
            .withLearningRate(3e-3)
            .withEvaluateEvery(updates(lab)));
  }
}
