package dev.jformer.studies.evidence;

import java.util.List;

/**
 * Curves to draw.
 *
 * @param title what is shown
 * @param x name and unit of the horizontal axis
 * @param y name and unit of the vertical axis
 * @param logX whether the horizontal axis is logarithmic
 * @param logY whether the vertical axis is logarithmic
 * @param series the curves
 */
public record Figure(
    String title, String x, String y, boolean logX, boolean logY, List<Series> series) {
  /**
   * A curve, or points if {@code points} says so.
   *
   * @param name as the legend shows it
   * @param x positions
   * @param y values, as many
   * @param points whether points are drawn, each labelled with the name, instead of a line
   */
  public record Series(String name, List<Double> x, List<Double> y, boolean points) {
    /** Checks that there are as many values as positions. */
    public Series {
      if (x.size() != y.size()) {
        throw new IllegalArgumentException(
            "the curve '" + name + "' has " + x.size() + " positions and " + y.size() + " values");
      }
    }

    /** A line. */
    public static Series line(String name, List<Double> x, List<Double> y) {
      return new Series(name, x, y, false);
    }

    /** One labelled point. */
    public static Series point(String name, double x, double y) {
      return new Series(name, List.of(x), List.of(y), true);
    }
  }
}
