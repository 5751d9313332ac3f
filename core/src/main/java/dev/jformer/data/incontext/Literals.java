package dev.jformer.data.incontext;

import java.util.SplittableRandom;

/** A conjunction of literals over inputs of -1 and 1. */
final class Literals {
  /** For each input -1 or 1 if it must have that value, 0 if it does not matter. */
  private final int[] wanted;

  private Literals(int[] wanted) {
    this.wanted = wanted;
  }

  /**
   * Draws each literal with a probability; at least one.
   *
   * @param monotone whether no literal is negated
   */
  static Literals withProbability(
      int n, double probability, boolean monotone, SplittableRandom random) {
    int[] wanted = new int[n];
    int count = 0;
    for (int i = 0; i < n; i++) {
      if (random.nextDouble() < probability) {
        wanted[i] = sign(monotone, random);
        count++;
      }
    }
    if (count == 0) {
      wanted[random.nextInt(n)] = sign(monotone, random);
    }
    return new Literals(wanted);
  }

  /** Draws a number of literals. */
  static Literals withCount(int n, int count, boolean monotone, SplittableRandom random) {
    int[] wanted = new int[n];
    for (int i : Draws.subset(n, count, random)) {
      wanted[i] = sign(monotone, random);
    }
    return new Literals(wanted);
  }

  private static int sign(boolean monotone, SplittableRandom random) {
    return monotone || random.nextBoolean() ? 1 : -1;
  }

  /** Whether the inputs satisfy all literals. */
  boolean hold(double[] x) {
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i] != 0 && x[i] != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  /** Changes inputs so that they satisfy all literals. */
  void force(double[] x) {
    for (int i = 0; i < wanted.length; i++) {
      if (wanted[i] != 0) {
        x[i] = wanted[i];
      }
    }
  }

  /** The number of literals. */
  int count() {
    int count = 0;
    for (int each : wanted) {
      count += Math.abs(each);
    }
    return count;
  }

  /**
   * An example of the teaching sequence of a monotone conjunction. The first has exactly the inputs
   * on that matter: no other input can matter. Each of the others has one of these off and all
   * others on: that one does matter.
   *
   * @param number from 0 to {@link #count}
   */
  double[] teaching(int number) {
    double[] x = new double[wanted.length];
    int place = 0;
    for (int i = 0; i < x.length; i++) {
      boolean matters = wanted[i] != 0;
      if (number == 0) {
        x[i] = matters ? 1 : -1;
      } else {
        x[i] = matters && ++place == number ? -1 : 1;
      }
    }
    return x;
  }
}
