package dev.jformer.studies.evidence;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The mean of repeated measurements, with their standard deviation and the standard error of the
 * mean.
 *
 * @param value mean or median
 * @param spread standard deviation of the single values; NaN if there is only one
 * @param error standard error of the value; NaN if there is only one, 0 if the value is exact
 * @param count number of values; 0 for an exact value
 * @param unit what was repeated: {@code seed}, {@code test item} or {@code round}
 */
public record Estimate(double value, double spread, double error, int count, String unit) {
  /** Quantiles of Student's t distribution for 95 % confidence, by degrees of freedom. */
  private static final double[][] STUDENT = {
    {1, 12.706}, {2, 4.303}, {3, 3.182}, {4, 2.776}, {5, 2.571}, {6, 2.447}, {7, 2.365},
    {8, 2.306}, {9, 2.262}, {10, 2.228}, {12, 2.179}, {15, 2.131}, {20, 2.086}, {30, 2.042},
    {60, 2.000}, {Double.POSITIVE_INFINITY, 1.960}
  };

  /**
   * Creates the estimate of a number that is known exactly, such as a bound or a number of weights.
   */
  public static Estimate exactly(double value) {
    return new Estimate(value, 0, 0, 0, "");
  }

  /** Estimates the mean over seeds. */
  public static Estimate ofSeeds(List<Double> values) {
    return mean(values, "seed");
  }

  /**
   * Estimates the mean over test items, for example 1 for each correct item and 0 for each other.
   */
  public static Estimate ofItems(List<Double> values) {
    return mean(values, "test item");
  }

  /** Estimates the share of correct test items. */
  public static Estimate ofItems(long right, long items) {
    double share = (double) right / items;
    double variance = share * (1 - share) * items / Math.max(1, items - 1);
    return new Estimate(
        share, Math.sqrt(variance), Math.sqrt(variance / items), (int) items, "test item");
  }

  /**
   * Estimates the mean difference of paired values, such as the results of two models on the same
   * test items. Differences vary less than the values if these are correlated.
   *
   * @param unit what the pairs are, for example {@code test item}
   * @throws IllegalArgumentException if the lists differ in size
   */
  public static Estimate ofPairs(List<Double> values, List<Double> others, String unit) {
    if (values.size() != others.size()) {
      throw new IllegalArgumentException(
          "cannot pair "
              + values.size()
              + " values with "
              + others.size()
              + ": expected as many of each");
    }
    return mean(
        IntStream.range(0, values.size()).mapToObj(i -> values.get(i) - others.get(i)).toList(),
        unit);
  }

  /**
   * Estimates the mean of values.
   *
   * @param unit what was repeated, in the singular
   */
  public static Estimate mean(List<Double> values, String unit) {
    int n = values.size();
    double mean = values.stream().mapToDouble(v -> v).average().orElse(Double.NaN);
    if (n < 2) {
      return new Estimate(mean, Double.NaN, Double.NaN, n, unit);
    }
    double squares = values.stream().mapToDouble(v -> (v - mean) * (v - mean)).sum();
    double spread = Math.sqrt(squares / (n - 1));
    return new Estimate(mean, spread, spread / Math.sqrt(n), n, unit);
  }

  /** Returns the estimate with the largest value. */
  public static Estimate largest(Collection<Estimate> estimates) {
    return Collections.max(estimates, Comparator.comparingDouble(Estimate::value));
  }

  /**
   * Estimates the median of rounds of time measurements. The standard error comes from the
   * quartiles (0.8 times their distance over √n, as for the notches of a box plot), so that single
   * disturbed rounds have no influence.
   */
  public static Estimate median(double median, double low, double high, int rounds) {
    double spread = (high - low) / 1.349;
    return rounds < 2
        ? new Estimate(median, Double.NaN, Double.NaN, rounds, "round")
        : new Estimate(median, spread, 0.8 * (high - low) / Math.sqrt(rounds), rounds, "round");
  }

  /** Returns this estimate times a factor, for example 100 for percent. */
  public Estimate times(double factor) {
    double size = Math.abs(factor);
    return new Estimate(factor * value, size * spread, size * error, count, unit);
  }

  /** Returns this estimate plus a number, for example the margin that a claim allows. */
  public Estimate plus(double addend) {
    return new Estimate(value + addend, spread, error, count, unit);
  }

  /**
   * Returns the largest difference between this and another value that chance explains: half the 95
   * % confidence interval of their difference, by Student's t with a common variance. 0 if the
   * spread of neither is known.
   */
  public double noise(Estimate other) {
    if (count == 0 || other.count == 0) {
      Estimate measured = count == 0 ? other : this;
      return measured.count < 2 ? 0 : student(measured.count - 1) * measured.error;
    }
    double degrees = count + other.count - 2.0;
    if (degrees == 0) {
      return 0;
    }
    double variance = (squares() + other.squares()) / degrees;
    return student(degrees) * Math.sqrt(variance * (1.0 / count + 1.0 / other.count));
  }

  /** Sum of squared distances from the mean that would give this error. */
  private double squares() {
    return count < 2 ? 0 : (count - 1) * count * error * error;
  }

  private static double student(double degrees) {
    int i = 1;
    while (degrees > STUDENT[i][0]) {
      i++;
    }
    double[] low = STUDENT[i - 1];
    double[] high = STUDENT[i];
    // The quantile is nearly linear in the inverse of the degrees of freedom.
    double share = (1 / low[0] - 1 / degrees) / (1 / low[0] - 1 / high[0]);
    return low[1] + share * (high[1] - low[1]);
  }

  /** Formats mean and spread as in reports, for example {@code 1.482 ± 0.0061}. */
  public String text() {
    String mean = Check.number(value);
    return count < 2 || !Double.isFinite(spread)
        ? mean
        : mean + " ± " + String.format(java.util.Locale.ROOT, "%s", Check.rounded(spread));
  }

  /**
   * Describes the number of measurements of this and another value, for example {@code 3 seeds
   * each}.
   */
  String basis(Estimate other) {
    List<String> parts = new ArrayList<>();
    if (count > 0) {
      parts.add(counted());
    }
    if (other.count > 0 && !other.counted().equals(counted())) {
      parts.add(other.counted());
    } else if (other.count > 1) {
      return counted() + " each";
    }
    return String.join(" against ", parts);
  }

  private String counted() {
    return count == 1
        ? "one " + unit
        : String.format(java.util.Locale.ROOT, "%,d %ss", count, unit);
  }
}
