package dev.jformer.studies.trial;

import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures how long pieces of work take beside each other. They have their turns one after the
 * other, round by round, so that a change of the machine's speed meets all of them alike. All times
 * that are compared are measured with it.
 */
public final class InterleavedTimer {
  /** A piece of work that measures itself. */
  @FunctionalInterface
  public interface Work {
    /** Does the work once, here or in another process; gives the seconds that count. */
    double seconds();

    /** Work of which everything counts; it runs in a scope of its own. */
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

  /** Shows which turn begins. */
  @FunctionalInterface
  public interface Progress {
    /**
     * A turn begins.
     *
     * @param piece its index
     * @param round from 0; negative for rounds that do not count
     */
    void turn(int piece, int round);
  }

  private InterleavedTimer() {}

  /**
   * Measures some rounds.
   *
   * @param warmUp rounds before those, which do not count
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

  /** As above, of work of which everything counts. */
  public static Timings measure(List<Runnable> work, int warmUp, int rounds) {
    return measure(work.stream().map(Work::of).toList(), warmUp, rounds, (piece, round) -> {});
  }

  /**
   * Measures until all have taken some time.
   *
   * @param fewest rounds at least
   * @param most rounds
   * @param enough seconds that all rounds and pieces take together
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
   * Seconds of each piece, medians of some rounds.
   *
   * @param warmUp rounds before those, which do not count
   * @param rounds at least 1
   */
  public static List<Double> seconds(List<Runnable> work, int warmUp, int rounds) {
    return measure(work, warmUp, rounds).medians();
  }

  /**
   * How many times as long a piece of work takes as another: the median of the ratios of two turns
   * that follow each other.
   *
   * @param rounds at least 1, after one that does not count
   */
  public static double ratio(Runnable work, Runnable other, int rounds) {
    return measure(List.of(work, other), 1, rounds).ratio(0, 1).median();
  }
}
