package dev.jformer.studies.evidence;

import java.util.List;

/**
 * The Pareto front: the choices that no other choice beats in one cost while being at least as good
 * in all others.
 */
public final class ParetoFront {
  private ParetoFront() {}

  /**
   * Whether a choice is on the Pareto front.
   *
   * @param costs of the choice
   * @param all costs of all choices, in the same order; the choice may be among them
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
