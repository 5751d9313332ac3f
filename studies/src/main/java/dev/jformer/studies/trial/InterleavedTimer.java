package dev.jformer.studies.trial;

import dev.jformer.tensor.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * How long pieces of work take beside each other: they have their turns one after the other, round
 * by round, so that what else the machine does meets all of them alike.
 */
public final class InterleavedTimer {
  private InterleavedTimer() {}

  /**
   * Seconds of each piece, medians of some rounds.
   *
   * @param work run in a scope of its own each time
   * @param warmUp rounds before those, which do not count
   * @param rounds at least 1
   */
  public static List<Double> seconds(List<Runnable> work, int warmUp, int rounds) {
    double[][] seconds = new double[work.size()][rounds];
    for (int round = -warmUp; round < rounds; round++) {
      for (int i = 0; i < work.size(); i++) {
        double once = seconds(work.get(i));
        if (round >= 0) {
          seconds[i][round] = once;
        }
      }
    }
    return Arrays.stream(seconds)
        .map(
            each -> {
              Arrays.sort(each);
              return each[rounds / 2];
            })
        .toList();
  }

  /**
   * How many times as long a piece of work takes as another: the median of the ratios of two turns
   * that follow each other.
   *
   * @param rounds at least 1, after one that does not count
   */
  public static double ratio(Runnable work, Runnable other, int rounds) {
    double[] ratios = new double[rounds];
    for (int round = -1; round < rounds; round++) {
      double first = seconds(work);
      double second = seconds(other);
      if (round >= 0) {
        ratios[round] = first / second;
      }
    }
    Arrays.sort(ratios);
    return ratios[rounds / 2];
  }

  private static double seconds(Runnable work) {
    long start = System.nanoTime();
    try (Scope scope = Scope.open()) {
      work.run();
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
