package dev.jformer.studies.trial;

import dev.jformer.tensor.Memory;
import dev.jformer.tensor.Scope;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/**
 * How time and memory grow with a size, such as the length of a sequence.
 *
 * @param points measured, by rising size
 */
public record Cost(List<Point> points) {
  private static final double ENOUGH_SECONDS = 0.3;
  private static final int FEWEST = 3;
  private static final int MOST = 50;

  /**
   * A measurement.
   *
   * @param size for example tokens
   * @param seconds median of several runs
   * @param bytes the most memory a run took beyond what was held before; -1 if unknown
   */
  public record Point(int size, double seconds, double bytes) {}

  /**
   * Measures a piece of work at several sizes.
   *
   * @param work prepares the work for a size, in a scope that stays open while it is measured; what
   *     it returns is run several times, each in a scope of its own
   */
  public static Cost measure(int[] sizes, IntFunction<Runnable> work) {
    List<Point> points = new ArrayList<>();
    for (int size : sizes) {
      try (Scope scope = Scope.open()) {
        points.add(point(size, work.apply(size)));
      }
    }
    return new Cost(List.copyOf(points));
  }

  private static Point point(int size, Runnable work) {
    Runnable once =
        () -> {
          try (Scope scope = Scope.open()) {
            work.run();
          }
        };
    once.run();
    long bytes = Memory.peakOf(once);
    once.run();
    double[] times = new double[MOST];
    double total = 0;
    int runs = 0;
    while (runs < FEWEST || (total < ENOUGH_SECONDS && runs < MOST)) {
      long start = System.nanoTime();
      once.run();
      times[runs] = (System.nanoTime() - start) / 1e9;
      total += times[runs++];
    }
    double[] sorted = Arrays.copyOf(times, runs);
    Arrays.sort(sorted);
    return new Point(size, sorted[runs / 2], bytes);
  }

  /** The exponent p of time ~ size^p, fitted by least squares to sizes of at least {@code from}. */
  public double timeExponent(int from) {
    return exponent(points.stream().filter(p -> p.size() >= from).toList(), Point::seconds);
  }

  /** The exponent of memory; see {@link #timeExponent}. NaN if memory is unknown. */
  public double memoryExponent(int from) {
    List<Point> known = points.stream().filter(p -> p.size() >= from).toList();
    if (known.stream().anyMatch(p -> p.bytes() <= 0)) {
      return Double.NaN;
    }
    return exponent(known, Point::bytes);
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
   * The size from which this is faster than {@code other} at every larger size measured, found
   * between two sizes on the logarithmic scale; NaN if there is none.
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
