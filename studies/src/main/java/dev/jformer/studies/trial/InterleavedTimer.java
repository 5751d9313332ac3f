package dev.jformer.studies.trial;

import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures the times of several pieces of work in turns, round by round, so that changes of the
 * machine's speed affect all of them alike. All times that are compared are measured with it.
 */
public final class InterleavedTimer {
  /** A piece of work that measures itself. */
  @FunctionalInterface
  public interface Work {
    /** Does the work once, here or in another process; returns the seconds that count. */
    double seconds();

    /** Creates work that is timed as a whole, and runs in a new scope. */
    static Work of(Runnable work) {
      return () -> {
        long start = System.nanoTime();
        try (Scope scope = Scope.open()) {
          work.run();
        }
        return (System.nanoTime() - start) / 1e9;
      };
    }
  }

  /** Receives the progress of a measurement. */
  @FunctionalInterface
  public interface Progress {
    /**
     * Called when a turn begins.
     *
     * @param piece index of the piece of work
     * @param round from 0; negative for warm-up rounds
     */
    void turn(int piece, int round);
  }

  private InterleavedTimer() {}

  /**
   * Measures a number of rounds.
   *
   * @param warmUp number of rounds before those, which do not count
   * @param rounds at least 1
   */
  public static Timings measure(
      List<? extends Work> work, int warmUp, int rounds, Progress progress) {
    List<List<Double>> all = lists(work.size());
    for (int round = -warmUp; round < rounds; round++) {
      round(work, round, progress, all);
    }
    return new Timings(all);
  }

  /** As above, for work that is timed as a whole. */
  public static Timings measure(List<Runnable> work, int warmUp, int rounds) {
    return measure(work.stream().map(Work::of).toList(), warmUp, rounds, (piece, round) -> {});
  }

  /**
   * Measures until the rounds have taken a given time.
   *
   * @param fewest minimum number of rounds
   * @param most maximum number of rounds
   * @param enough seconds for all rounds and pieces together
   */
  public static Timings measureFor(List<Runnable> work, int fewest, int most, double enough) {
    List<Work> pieces = work.stream().map(Work::of).toList();
    List<List<Double>> all = lists(work.size());
    double total = 0;
    for (int round = 0; round < fewest || (total < enough && round < most); round++) {
      total += round(pieces, round, (piece, r) -> {}, all);
    }
    return new Timings(all);
  }

  private static List<List<Double>> lists(int count) {
    List<List<Double>> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(new ArrayList<>());
    }
    return all;
  }

  private static double round(
      List<? extends Work> work, int round, Progress progress, List<List<Double>> all) {
    double total = 0;
    for (int i = 0; i < work.size(); i++) {
      progress.turn(i, round);
      double once = work.get(i).seconds();
      total += once;
      if (round >= 0) {
        all.get(i).add(once);
      }
    }
    return total;
  }

  /**
   * Measures the median seconds of each piece of work.
   *
   * @param warmUp number of rounds before those, which do not count
   * @param rounds at least 1
   */
  public static List<Double> seconds(List<Runnable> work, int warmUp, int rounds) {
    return measure(work, warmUp, rounds).medians();
  }

  /**
   * Measures the ratio of the times of two pieces of work: the median of the ratios within each
   * round.
   *
   * @param rounds at least 1, after one warm-up round
   */
  public static double ratio(Runnable work, Runnable other, int rounds) {
    return measure(List.of(work, other), 1, rounds).ratio(0, 1).median();
  }
}
