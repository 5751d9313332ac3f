package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Estimate;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Times of pieces of work that had their turns round by round.
 *
 * @param seconds by piece, then by round
 */
public record Timings(List<List<Double>> seconds) {
  /**
   * What the rounds have in common.
   *
   * @param median of the rounds
   * @param low lower quartile
   * @param high upper quartile
   * @param rounds how many there were
   */
  public record Statistics(double median, double low, double high, int rounds) {
    /** Of the values of some rounds; quantiles are interpolated. */
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

    /** The median as a check takes it. */
    public Estimate estimate() {
      return Estimate.median(median, low, high, rounds);
    }
  }

  /** Seconds of a piece. */
  public Statistics of(int piece) {
    return Statistics.of(seconds.get(piece));
  }

  /** How many times as long as another a piece takes, within each round. */
  public Statistics ratio(int piece, int other) {
    List<Double> ours = seconds.get(piece);
    List<Double> theirs = seconds.get(other);
    return Statistics.of(
        IntStream.range(0, ours.size()).mapToObj(r -> ours.get(r) / theirs.get(r)).toList());
  }

  /** Median seconds of each piece. */
  public List<Double> medians() {
    return IntStream.range(0, seconds.size()).mapToObj(i -> of(i).median()).toList();
  }
}
