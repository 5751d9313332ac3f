package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Check;
import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;

/**
 * Time and memory measured at several sizes, such as lengths of a sequence.
 *
 * @param points the measurements, sorted by size
 */
public record Cost(List<Point> points) {
  private static final double ENOUGH_SECONDS = 0.3;
  private static final int FEWEST = 3;
  private static final int MOST = 50;

  /**
   * The measurement at one size.
   *
   * @param size for example the number of tokens
   * @param seconds median of several runs
   * @param bytes peak memory of a run, less the memory in use before it; -1 if unknown
   */
  public record Point(int size, double seconds, double bytes) {}

  /** The measurement at the largest size. */
  public Point last() {
    return points.get(points.size() - 1);
  }

  /** Measures a piece of work at several sizes; see {@link #measure(int[], Map)}. */
  public static Cost measure(int[] sizes, IntFunction<Runnable> work) {
    return measure(sizes, Map.of("", work)).get("");
  }

  /**
   * Measures several pieces of work at several sizes; at each size they run in turns, round by
   * round.
   *
   * @param work prepares the work for a size, in a scope that stays open while it is measured; the
   *     result is run several times, each time in a new scope
   */
  public static Map<String, Cost> measure(int[] sizes, Map<String, IntFunction<Runnable>> work) {
    Map<String, List<Point>> points = new LinkedHashMap<>();
    work.keySet().forEach(name -> points.put(name, new ArrayList<>()));
    for (int size : sizes) {
      try (Scope scope = Scope.open()) {
        List<Runnable> pieces = new ArrayList<>();
        List<Double> bytes = new ArrayList<>();
        for (IntFunction<Runnable> piece : work.values()) {
          Runnable prepared = piece.apply(size);
          Runnable once = () -> inScope(prepared);
          once.run();
          bytes.add((double) Memory.peakOf(once));
          once.run();
          pieces.add(prepared);
        }
        List<Double> seconds =
            InterleavedTimer.measureFor(pieces, FEWEST, MOST, ENOUGH_SECONDS * pieces.size())
                .medians();
        int i = 0;
        for (List<Point> each : points.values()) {
          each.add(new Point(size, seconds.get(i), bytes.get(i)));
          i++;
        }
      }
    }
    Map<String, Cost> costs = new LinkedHashMap<>();
    points.forEach((name, each) -> costs.put(name, new Cost(List.copyOf(each))));
    return costs;
  }

  private static void inScope(Runnable work) {
    try (Scope scope = Scope.open()) {
      work.run();
    }
  }

  /**
   * Returns the exponent p of time ~ size^p, fitted by least squares to sizes of at least {@code
   * from}.
   */
  public double timeExponent(int from) {
    return exponent(points.stream().filter(p -> p.size() >= from).toList(), Point::seconds);
  }

  /** Returns the exponent of memory, as {@link #timeExponent}; NaN if memory is unknown. */
  public double memoryExponent(int from) {
    List<Point> known = points.stream().filter(p -> p.size() >= from).toList();
    if (known.stream().anyMatch(p -> p.bytes() <= 0)) {
      return Double.NaN;
    }
    return exponent(known, Point::bytes);
  }

  /**
   * Checks that time and memory grow at most as size^{@code most}, fitted to sizes of at least
   * {@code from}.
   *
   * @param name of the exponent of time
   */
  public Check growth(String name, int from, double most) {
    return Check.all(
        Check.atMost(name, timeExponent(from), most),
        Check.atMost("of memory", memoryExponent(from), most));
  }

  private static double exponent(
      List<Point> points, java.util.function.ToDoubleFunction<Point> measure) {
    double n = points.size();
    double x = points.stream().mapToDouble(p -> Math.log(p.size())).sum() / n;
    double y = points.stream().mapToDouble(p -> Math.log(measure.applyAsDouble(p))).sum() / n;
    double xy = 0;
    double xx = 0;
    for (Point p : points) {
      xy += (Math.log(p.size()) - x) * (Math.log(measure.applyAsDouble(p)) - y);
      xx += (Math.log(p.size()) - x) * (Math.log(p.size()) - x);
    }
    return points.size() < 2 ? Double.NaN : xy / xx;
  }

  /**
   * Returns the size above which this is faster than {@code other} at every measured size,
   * interpolated on a logarithmic scale; NaN if there is none.
   */
  public double overtakes(Cost other) {
    double from = Double.NaN;
    for (int i = points.size() - 1; i >= 0; i--) {
      double gain = Math.log(other.points.get(i).seconds() / points.get(i).seconds());
      if (gain <= 0) {
        if (i + 1 == points.size()) {
          return Double.NaN;
        }
        double next = Math.log(other.points.get(i + 1).seconds() / points.get(i + 1).seconds());
        double share = -gain / (next - gain);
        double a = Math.log(points.get(i).size());
        double b = Math.log(points.get(i + 1).size());
        return Math.exp(a + share * (b - a));
      }
      from = points.get(i).size();
    }
    return from;
  }
}
