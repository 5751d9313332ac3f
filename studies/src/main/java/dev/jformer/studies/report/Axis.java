package dev.jformer.studies.report;

import dev.jformer.studies.evidence.Check;
import java.util.ArrayList;
import java.util.List;

/**
 * An axis of a plot: positions of values, and labels.
 *
 * @param low the smallest value shown
 * @param high the largest
 * @param log whether it is logarithmic
 */
record Axis(double low, double high, boolean log) {
  private static final int TICKS = 6;

  /** Creates an axis that covers all of these values; values that are not finite are ignored. */
  static Axis of(List<Double> values, boolean log) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (double value : values) {
      if (shows(value, log)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    if (low > high) {
      return new Axis(log ? 1 : 0, log ? 10 : 1, log);
    }
    if (log) {
      double margin = low == high ? 2 : Math.pow(high / low, 0.04);
      return new Axis(low / margin, high * margin, true);
    }
    double margin = low == high ? Math.max(1e-9, Math.abs(low) * 0.1) : (high - low) * 0.05;
    return new Axis(low - margin, high + margin, false);
  }

  /** Whether a value can be shown on an axis of this kind. */
  static boolean shows(double value, boolean log) {
    return Double.isFinite(value) && (!log || value > 0);
  }

  /** The position of a value: 0 at the low end, 1 at the high end. */
  double place(double value) {
    return log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  }

  /** The round values that are labelled. */
  List<Double> ticks() {
    return log && high / low > 8 ? logTicks() : linearTicks();
  }

  private List<Double> linearTicks() {
    double rough = (high - low) / TICKS;
    double power = Math.pow(10, Math.floor(Math.log10(rough)));
    double step = power * 10;
    for (double factor : new double[] {1, 2, 5}) {
      if (power * factor >= rough) {
        step = power * factor;
        break;
      }
    }
    List<Double> ticks = new ArrayList<>();
    for (long i = (long) Math.ceil(low / step); i * step <= high; i++) {
      double tick = i * step;
      if (!log || tick > 0) {
        ticks.add(Math.abs(tick) < step / 1e6 ? 0.0 : tick);
      }
    }
    return ticks;
  }

  private List<Double> logTicks() {
    int first = (int) Math.floor(Math.log10(low));
    int last = (int) Math.ceil(Math.log10(high));
    int every = Math.max(1, (last - first) / TICKS);
    double[] factors = last - first <= 2 ? new double[] {1, 2, 5} : new double[] {1};
    List<Double> ticks = new ArrayList<>();
    for (int exponent = first; exponent <= last; exponent += every) {
      for (double factor : factors) {
        double tick = factor * Math.pow(10, exponent);
        if (tick >= low && tick <= high) {
          ticks.add(tick);
        }
      }
    }
    return ticks.size() < 2 ? linearTicks() : ticks;
  }

  /** The label of a tick beside others, with as many digits as tell them apart. */
  static String label(double tick, List<Double> all) {
    if (all.stream().map(Axis::label).distinct().count() == all.size() || all.size() < 2) {
      return label(tick);
    }
    int decimals = (int) Math.max(0, 1 - Math.floor(Math.log10(all.get(1) - all.get(0))));
    return java.math.BigDecimal.valueOf(tick)
        .setScale(decimals, java.math.RoundingMode.HALF_EVEN)
        .stripTrailingZeros()
        .toPlainString();
  }

  /** The label of a tick. */
  static String label(double tick) {
    double size = Math.abs(tick);
    for (String[] unit : new String[][] {{"1e9", "G"}, {"1e6", "M"}, {"1e3", "k"}}) {
      double factor = Double.parseDouble(unit[0]);
      if (size >= factor * (unit[1].equals("k") ? 10 : 1)) {
        return trim(tick / factor) + unit[1];
      }
    }
    return size >= 1e-3 || size == 0 ? trim(tick) : Check.number(tick);
  }

  private static String trim(double value) {
    return new java.math.BigDecimal(value)
        .round(new java.math.MathContext(6))
        .stripTrailingZeros()
        .toPlainString();
  }
}
