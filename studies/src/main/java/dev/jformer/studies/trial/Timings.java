package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Estimate;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Times of pieces of work that were measured in turns, round by round.
 *
 * @param seconds by piece, then by round
 */
public record Timings(List<List<Double>> seconds) {
  /**
   * Median and quartiles of the rounds.
   *
   * @param median of the rounds
   * @param low lower quartile
   * @param high upper quartile
   * @param rounds number of rounds
   */
  public record Statistics(double median, double low, double high, int rounds) {
    /** Computes the statistics of values; quantiles are interpolated. */
    public static Statistics of(List<Double> values) {
      double[] sorted = values.stream().mapToDouble(v -> v).sorted().toArray();
      return new Statistics(
          quantile(sorted, 0.5), quantile(sorted, 0.25), quantile(sorted, 0.75), sorted.length);
    }

    private static double quantile(double[] sorted, double q) {
      double at = q * (sorted.length - 1);
      int low = (int) Math.floor(at);
      int high = (int) Math.ceil(at);
      return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
    }

    /** Returns the median as an estimate for checks. */
    public Estimate estimate() {
      return Estimate.median(median, low, high, rounds);
    }
  }

  /** Returns the statistics of a piece's seconds. */
  public Statistics of(int piece) {
    return Statistics.of(seconds.get(piece));
  }

  /** Returns the statistics of the ratio of a piece's time to another's in the same round. */
  public Statistics ratio(int piece, int other) {
    List<Double> ours = seconds.get(piece);
    List<Double> theirs = seconds.get(other);
    return Statistics.of(
        IntStream.range(0, ours.size()).mapToObj(r -> ours.get(r) / theirs.get(r)).toList());
  }

  /** Returns the median seconds of each piece. */
  public List<Double> medians() {
    return IntStream.range(0, seconds.size()).mapToObj(i -> of(i).median()).toList();
  }
}
