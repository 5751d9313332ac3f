package dev.jformer.studies.algorithmic;

import static dev.jformer.studies.Column.fixed;

import dev.jformer.construct.Precision;
import dev.jformer.construct.TuringDecoder;
import dev.jformer.construct.TuringMachine;
import dev.jformer.studies.Arms;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Measured;
import dev.jformer.studies.evidence.Check;
import dev.jformer.studies.evidence.Figure;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;

/** Written weights run Turing machines, and are compared with the machines step by step. */
final class TuringRuns {
  private static final String LATEST = "last token of a cell";
  private static final String ALL_ALIKE = "mean of a cell's tokens";

  /** Cells beyond the longest word that a head may reach. */
  private static final int MARGIN = 12;

  private TuringRuns() {}

  /**
   * Runs of one machine.
   *
   * @param words number of words
   * @param longest symbols of the longest word
   * @param steps of all words
   * @param mostSteps of a word
   * @param wrong steps after which the state, the cell of the head, or the tape is not the
   *     machine's
   * @param wrongAnswers words whose answer is not what a direct test says
   */
  public record Outcome(
      int words, int longest, long steps, int mostSteps, long wrong, int wrongAnswers) {}

  /**
   * How far one precision goes.
   *
   * @param steps by number of cells for which the weights are written: steps before the first wrong
   *     one
   * @param most steps that were tried
   */
  public record Reach(Map<Integer, Integer> steps, int most) {
    /** The most cells up to which every smaller number was exact too; 0 if none was. */
    int exact() {
      int exact = 0;
      for (int cells : steps.keySet().stream().sorted().toList()) {
        if (steps.get(cells) < most) {
          return exact;
        }
        exact = cells;
      }
      return exact;
    }

    /** The least number of cells with a wrong step; more than all if there is none. */
    int wrong() {
      return steps.keySet().stream()
          .filter(cells -> steps.get(cells) < most)
          .min(Integer::compare)
          .orElse(Integer.MAX_VALUE);
    }
  }

  static void measure(ExperimentContext lab) {
    runs(lab);
    reach(lab);
  }

  private static void runs(ExperimentContext lab) {
    int most = lab.pick(60, 600, 1000);
    int longest = lab.pick(8, 40, 60);
    int words = lab.pick(2, 200, 500);
    List<TuringTask> tasks = List.of(TuringTask.values());
    Measured<Outcome> right = compared(lab, LATEST, tasks, longest, words, most, true);
    Measured<Outcome> control = compared(lab, ALL_ALIKE, tasks, longest, words, most, false);
    lab.claim(
        "Written weights run four Turing machines step by step without an error, up to %d steps a word"
            .formatted(most),
        "t(n) steps simulate t(n) steps of a Turing machine (theorem 2)",
        ALL_ALIKE,
        Check.all(
            Check.each(
                right.arms(),
                arm ->
                    Check.all(
                        Check.atMost(
                            "wrong configurations, " + arm.name(), (double) arm.first().wrong(), 0),
                        Check.atMost("wrong answers", arm.first().wrongAnswers(), 0))),
            Check.above(
                "wrong configurations of the control",
                (double) control.arms().stream().mapToLong(arm -> arm.first().wrong()).sum(),
                0)));
    table(lab, LATEST, right);
    table(lab, ALL_ALIKE, control);
  }

  private static void table(ExperimentContext lab, String reading, Measured<Outcome> runs) {
    lab.table(
        runs.table(
            "Turing machines, reading the " + reading,
            "machine",
            fixed("words", Outcome::words),
            fixed("longest word", Outcome::longest),
            fixed("steps", Outcome::steps),
            fixed("most steps of a word", Outcome::mostSteps),
            fixed("wrong configurations", Outcome::wrong),
            fixed("wrong answers", Outcome::wrongAnswers)));
  }

  private static Measured<Outcome> compared(
      ExperimentContext lab,
      String reading,
      List<TuringTask> tasks,
      int longest,
      int words,
      int most,
      boolean latest) {
    return Arms.named(tasks, TuringTask::title)
        .measure(
            lab,
            arm -> "Turing machine, " + arm + ", " + reading,
            Outcome.class,
            (task, progress) -> compare(task, longest, words, most, latest, progress));
  }

  static Outcome compare(
      TuringTask task, int longest, int words, int most, boolean latest, DoubleConsumer progress) {
    SplittableRandom random = new SplittableRandom(11);
    TuringDecoder decoder =
        new TuringDecoder(task.machine(), longest + MARGIN, latest, Precision.DOUBLE);
    int longestWord = 0;
    long all = 0;
    int mostSteps = 0;
    long wrong = 0;
    int wrongAnswers = 0;
    for (int i = 0; i < words; i++) {
      int[] word = task.word(1 + random.nextInt(longest), random);
      List<TuringMachine.Step> steps = task.machine().run(word, most);
      TuringDecoder.Trace trace = decoder.run(word, steps.size());
      boolean halts = steps.get(steps.size() - 1).state() >= task.machine().states();
      // The step that halts is the answer: it names no configuration.
      List<TuringMachine.Step> named = halts ? steps.subList(0, steps.size() - 1) : steps;
      wrong += named.size() - exact(word, named, trace.steps());
      Boolean answer = halts ? task.answer(word) : null;
      wrongAnswers += java.util.Objects.equals(answer, trace.answer()) ? 0 : 1;
      longestWord = Math.max(longestWord, word.length);
      all += steps.size();
      mostSteps = Math.max(mostSteps, steps.size());
      progress.accept((i + 1.0) / words);
    }
    return new Outcome(words, longestWord, all, mostSteps, wrong, wrongAnswers);
  }

  /** After how many steps the state, the head's cell and the whole tape are the right ones. */
  private static int exact(
      int[] word, List<TuringMachine.Step> right, List<TuringMachine.Step> said) {
    Map<Integer, Integer> tape = tape(word);
    Map<Integer, Integer> saidTape = tape(word);
    int exact = 0;
    for (int i = 0; i < right.size() && i < said.size(); i++) {
      TuringMachine.Step a = right.get(i);
      TuringMachine.Step b = said.get(i);
      tape.put(a.cell(), a.written());
      saidTape.put(b.cell(), b.written());
      boolean same =
          a.state() == b.state()
              && a.cell() + a.move() == b.cell() + b.move()
              && tape.equals(saidTape);
      exact += same ? 1 : 0;
    }
    return exact;
  }

  private static Map<Integer, Integer> tape(int... word) {
    Map<Integer, Integer> tape = new HashMap<>();
    for (int i = 0; i < word.length; i++) {
      tape.put(i + 1, word[i]);
    }
    return tape;
  }

  private static void reach(ExperimentContext lab) {
    int most = lab.pick(40, 400, 1000);
    List<Integer> sizes =
        lab.pick(List.of(4, 8), sizes(4, 200, 4), sizes(2, 200, 2)); // 200: the largest tape
    Measured<Reach> reaches =
        Arms.of("double precision", Precision.DOUBLE)
            .arm("single precision", Precision.SINGLE)
            .measure(
                lab,
                arm -> "reach of Turing machines, " + arm,
                Reach.class,
                (precision, progress) -> reach(precision, sizes, most, progress));
    Reach doubles = reaches.first("double precision");
    Reach floats = reaches.first("single precision");
    lab.claim(
        "In double precision the weights for more cells of tape are exact than in single precision",
        "log-precision is enough (section 2)",
        "single precision",
        Check.all(
            Check.atLeast("cells, double precision", doubles.exact(), sizes.get(0)),
            Check.above("cells", doubles.exact(), floats.exact())),
        "Exact: %d steps of binary counting, from a word of half as many digits as cells, have the right configuration each."
            .formatted(most));
    lab.table(
        reaches.table(
            "Turing machines: cells for which the weights are written, up to "
                + sizes.get(sizes.size() - 1),
            "precision",
            fixed("most cells that are exact, with all smaller ones", Reach::exact),
            fixed(
                "fewest cells with an error (0: none)",
                reach -> reach.wrong() == Integer.MAX_VALUE ? 0 : reach.wrong()),
            fixed(
                "steps to the first error there",
                reach -> reach.steps().getOrDefault(reach.wrong(), most))));
    List<Figure.Series> lines = new ArrayList<>();
    reaches
        .arms()
        .forEach(
            arm ->
                lines.add(
                    Figure.Series.line(
                        arm.name(),
                        sizes,
                        sizes.stream()
                            .map(size -> (double) arm.first().steps().get(size))
                            .toList())));
    lab.figure(Figure.of("Steps before the first error", "cells of tape", "steps", lines));
  }

  private static List<Integer> sizes(int from, int to, int step) {
    List<Integer> sizes = new ArrayList<>();
    for (int size = from; size <= to; size += step) {
      sizes.add(size);
    }
    return sizes;
  }

  private static Reach reach(
      Precision precision, List<Integer> sizes, int most, DoubleConsumer progress) {
    SplittableRandom random = new SplittableRandom(13);
    Map<Integer, Integer> steps = new HashMap<>();
    for (int cells : sizes) {
      TuringMachine machine = TuringTask.COUNTING.machine();
      int[] word = TuringTask.COUNTING.word(cells / 2, random);
      List<TuringMachine.Step> right = machine.run(word, most);
      List<TuringMachine.Step> said =
          new TuringDecoder(machine, cells, true, precision).attempt(word, most).steps();
      int same = 0;
      while (same < said.size() && right.get(same).equals(said.get(same))) {
        same++;
      }
      steps.put(cells, same);
      progress.accept((double) cells / sizes.get(sizes.size() - 1));
    }
    return new Reach(steps, most);
  }
}
