package dev.jformer.studies.trial;

import dev.jformer.tensor.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * How long pieces of work take beside each other: they have their turns one after the other, round
 * by round, so that what else the machine does meets all of them alike.
 */
public final class Turns {
  private static final int WARM_UP = 10;

  private Turns() {}

  /**
   * Seconds of each piece, medians of some rounds after ten to warm up.
   *
   * @param work run in a scope of its own each time
   * @param rounds at least 1
   */
  public static List<Double> seconds(List<Runnable> work, int rounds) {
    double[][] seconds = new double[work.size()][rounds];
    for (int round = -WARM_UP; round < rounds; round++) {
      for (int i = 0; i < work.size(); i++) {
        long start = System.nanoTime();
        try (Scope scope = Scope.open()) {
          work.get(i).run();
        }
        if (round >= 0) {
          seconds[i][round] = (System.nanoTime() - start) / 1e9;
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
}
