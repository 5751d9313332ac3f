package dev.jformer.studies.evidence;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A value measured several times: its mean, how far the single values spread, and how sure the mean
 * is.
 *
 * @param value mean, or median
 * @param spread standard deviation of the single values; NaN if there is only one
 * @param error standard error of the value; NaN if there is only one, 0 if the value is exact
 * @param count how many values there are; 0 for an exact one
 * @param unit what there are several of: {@code seed}, {@code test item}, {@code round}
 */
public record Estimate(double value, double spread, double error, int count, String unit) {
  /** Of 100 intervals as wide as this many standard errors each way, 95 hold the true value. */
  private static final double[][] STUDENT = {
    {1, 12.706}, {2, 4.303}, {3, 3.182}, {4, 2.776}, {5, 2.571}, {6, 2.447}, {7, 2.365},
    {8, 2.306}, {9, 2.262}, {10, 2.228}, {12, 2.179}, {15, 2.131}, {20, 2.086}, {30, 2.042},
    {60, 2.000}, {Double.POSITIVE_INFINITY, 1.960}
  };

  /** A number that is known exactly, such as a bound or a number of weights. */
  public static Estimate exactly(double value) {
    return new Estimate(value, 0, 0, 0, "");
  }

  /** The mean of what each seed gave. */
  public static Estimate ofSeeds(List<Double> values) {
    return mean(values, "seed");
  }

  /** The mean over test items, for example 1 for an item that is right and 0 for others. */
  public static Estimate ofItems(List<Double> values) {
    return mean(values, "test item");
  }

  /** The share of test items that are right. */
  public static Estimate ofItems(long right, long items) {
    double share = (double) right / items;
    double variance = share * (1 - share) * items / Math.max(1, items - 1);
    return new Estimate(
        share, Math.sqrt(variance), Math.sqrt(variance / items), (int) items, "test item");
  }

  /**
   * The mean of the differences of values that belong together, such as two models' results on the
   * same test item. Differences vary less than the values where these have much in common.
   *
   * @param unit what the pairs are, for example {@code test item}
   * @throws IllegalArgumentException if there are not as many values of each
   */
  public static Estimate ofPairs(List<Double> values, List<Double> others, String unit) {
    if (values.size() != others.size()) {
      throw new IllegalArgumentException(
          values.size() + " values cannot be paired with " + others.size());
    }
    return mean(
        IntStream.range(0, values.size()).mapToObj(i -> values.get(i) - others.get(i)).toList(),
        unit);
  }

  /**
   * The mean of some values.
   *
   * @param unit what there are several of, in the singular
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

  /**
   * The median of some rounds of measuring time. Its standard error is taken from the quartiles
   * (0.8 times their distance over √n, as for the notches of a box plot), so that single rounds
   * that something else disturbed do not count.
   */
  public static Estimate median(double median, double low, double high, int rounds) {
    double spread = (high - low) / 1.349;
    return rounds < 2
        ? new Estimate(median, Double.NaN, Double.NaN, rounds, "round")
        : new Estimate(median, spread, 0.8 * (high - low) / Math.sqrt(rounds), rounds, "round");
  }

  /** The same times a factor, for example 100 for percent. */
  public Estimate times(double factor) {
    double size = Math.abs(factor);
    return new Estimate(factor * value, size * spread, size * error, count, unit);
  }

  /** The same plus a number, for example a margin within which a claim allows something worse. */
  public Estimate plus(double addend) {
    return new Estimate(value + addend, spread, error, count, unit);
  }

  /**
   * How far this and another value may be apart by chance: half the 95 % confidence interval of
   * their difference by Student's t with a common variance. 0 if neither's spread is known.
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

  /** Mean and spread as reports print them, for example {@code 1.482 ± 0.0061}. */
  public String text() {
    String mean = Check.number(value);
    return count < 2 || !Double.isFinite(spread)
        ? mean
        : mean + " ± " + String.format(java.util.Locale.ROOT, "%s", Check.rounded(spread));
  }

  /** What a verdict about this and another value rests on, for example {@code 3 seeds each}. */
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
