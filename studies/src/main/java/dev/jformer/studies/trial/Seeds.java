package dev.jformer.studies.trial;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** What runs that differ in their seed alone have in common. */
public final class Seeds {
  private Seeds() {}

  /** Mean of a value; NaN of no runs. */
  public static <T> double mean(List<T> runs, ToDoubleFunction<? super T> value) {
    return runs.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  /** Standard deviation of a value, that of a sample; 0 of fewer than two runs. */
  public static <T> double spread(List<T> runs, ToDoubleFunction<? super T> value) {
    if (runs.size() < 2) {
      return 0;
    }
    double mean = mean(runs, value);
    double sum = 0;
    for (T run : runs) {
      double off = value.applyAsDouble(run) - mean;
      sum += off * off;
    }
    return Math.sqrt(sum / (runs.size() - 1));
  }
}
