package dev.jformer.ffn;

import dev.jformer.config.Checks;

/** The hidden width of a channel mixer, given outright or as a multiple of D. */
final class Widths {
  private Widths() {}

  static void check(double expand, int hidden) {
    Checks.atLeast("hidden", hidden, 0);
    if (hidden == 0) {
      Checks.moreThan("expand", expand, 0);
    }
  }

  /**
   * The hidden width: {@code hidden} if given, else from {@code expand}, rounded up to a multiple.
   */
  static int hidden(int width, double expand, int hidden, int multiple) {
    if (hidden > 0) {
      return hidden;
    }
    double steps = Math.max(1, Math.ceil(width * expand / multiple - 1e-9));
    if (steps * multiple > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "expand is " + expand + ": too large for the width " + width);
    }
    return (int) (steps * multiple);
  }
}
