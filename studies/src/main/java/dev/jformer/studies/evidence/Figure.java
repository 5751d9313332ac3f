package dev.jformer.studies.evidence;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A figure with curves, points or bands.
 *
 * @param title of the figure
 * @param x name and unit of the horizontal axis
 * @param y name and unit of the vertical axis
 * @param logX whether the horizontal axis is logarithmic
 * @param logY whether the vertical axis is logarithmic
 * @param series the curves
 * @param dates whether positions are seconds since 1970, to be labelled as dates
 */
public record Figure(
    String title,
    String x,
    String y,
    boolean logX,
    boolean logY,
    List<Series> series,
    @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean dates) {
  /** A figure whose positions are numbers. */
  public Figure(String title, String x, String y, boolean logX, boolean logY, List<Series> series) {
    this(title, x, y, logX, logY, series, false);
  }

  /** A figure on linear axes. */
  public static Figure of(String title, String x, String y, Series... series) {
    return of(title, x, y, List.of(series));
  }

  /** As above, with a list of curves. */
  public static Figure of(String title, String x, String y, List<Series> series) {
    return new Figure(title, x, y, false, false, series);
  }

  /** Returns this figure with positions, in seconds since 1970, that are labelled as dates. */
  public Figure withDates() {
    return new Figure(title, x, y, logX, logY, series, true);
  }

  /** Returns this figure with a logarithmic horizontal axis. */
  public Figure withLogX() {
    return new Figure(title, x, y, true, logY, series, dates);
  }

  /** Returns this figure with a logarithmic vertical axis. */
  public Figure withLogY() {
    return new Figure(title, x, y, logX, true, series, dates);
  }

  /**
   * A curve, points, or a band.
   *
   * @param name shown in the legend
   * @param x positions
   * @param y values, one for each position; for a band its lower edge
   * @param points whether points are drawn, each labelled with the name, instead of a line
   * @param upper the upper edge of a band; empty for no band
   */
  public record Series(
      String name, List<Double> x, List<Double> y, boolean points, List<Double> upper) {
    /**
     * Checks that there are as many values as positions; a missing {@code upper}, as in files of
     * earlier versions, becomes empty.
     */
    public Series {
      upper = upper == null ? List.of() : upper;
      if (x.size() != y.size() || (!upper.isEmpty() && x.size() != upper.size())) {
        throw new IllegalArgumentException(
            "the curve '" + name + "' has " + x.size() + " positions and " + y.size() + " values");
      }
    }

    /** Creates a line. */
    public static Series line(String name, List<? extends Number> x, List<Double> y) {
      return new Series(name, x.stream().map(Number::doubleValue).toList(), y, false, List.of());
    }

    /** Creates a line through points; those are left out of which a value is not finite. */
    public static <P> Series line(
        String name, List<P> points, ToDoubleFunction<? super P> x, ToDoubleFunction<? super P> y) {
      List<P> finite =
          points.stream()
              .filter(p -> Double.isFinite(x.applyAsDouble(p) + y.applyAsDouble(p)))
              .toList();
      return line(
          name,
          finite.stream().map(x::applyAsDouble).toList(),
          finite.stream().map(y::applyAsDouble).toList());
    }

    /** Creates a line through values at equal distances, the first at {@code first}. */
    public static Series spaced(String name, double first, double distance, List<Double> y) {
      List<Double> x = IntStream.range(0, y.size()).mapToObj(i -> first + i * distance).toList();
      return line(name, x, y);
    }

    /** Creates one labelled point. */
    public static Series point(String name, double x, double y) {
      return new Series(name, List.of(x), List.of(y), true, List.of());
    }

    /** Creates a band between two curves. */
    public static Series band(String name, List<Double> x, List<Double> lower, List<Double> upper) {
      return new Series(name, x, lower, false, upper);
    }
  }
}
