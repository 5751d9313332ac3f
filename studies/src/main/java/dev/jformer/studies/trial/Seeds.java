package dev.jformer.studies.trial;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** Mean and spread over runs that differ only in their seed. */
public final class Seeds {
  private Seeds() {}

  /** Returns the mean of a value; NaN without runs. */
  public static <T> double mean(List<T> runs, ToDoubleFunction<? super T> value) {
    return runs.stream().mapToDouble(value).average().orElse(Double.NaN);
  }

  /** Returns the sample standard deviation of a value; 0 for fewer than two runs. */
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
