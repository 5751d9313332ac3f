package dev.jformer.studies.evidence;

import java.util.List;

/** The Pareto front: what nothing else is better than in one respect and as good in all others. */
public final class ParetoFront {
  private ParetoFront() {}

  /**
   * Whether one of several choices is on the front.
   *
   * @param costs what it costs in each respect
   * @param all those of all choices, as many each; this one may be among them
   */
  public static boolean holds(double[] costs, List<double[]> all) {
    return all.stream().noneMatch(other -> dominates(other, costs));
  }

  private static boolean dominates(double[] a, double[] b) {
    boolean better = false;
    for (int i = 0; i < a.length; i++) {
      if (a[i] > b[i]) {
        return false;
      }
      better |= a[i] < b[i];
    }
    return better;
  }
}
