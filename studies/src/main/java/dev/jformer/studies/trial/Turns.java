package dev.jformer.studies.trial;

import dev.jformer.tensor.Scope;
import java.util.Arrays;
import java.util.List;

/**
 * How long pieces of work take beside each other: they have their turns one after the other, round
 * by round, so that what else the machine does meets all of them alike.
 */
public final class Turns {
  private Turns() {}

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
