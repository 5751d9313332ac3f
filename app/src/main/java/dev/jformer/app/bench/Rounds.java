package dev.jformer.app.bench;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Workloads measured in turn, round by round, so that a drift of the machine's speed meets all of
 * them alike.
 */
final class Rounds {
  private final List<Workload> workloads;
  private final List<double[]> rounds = new ArrayList<>();

  private Rounds(List<Workload> workloads) {
    this.workloads = workloads;
  }

  /** Measures: every workload once to warm up, then once a round. */
  static Rounds measure(int count, Progress progress, Workload... workloads) {
    Rounds result = new Rounds(List.of(workloads));
    for (int round = -1; round < count; round++) {
      double[] times = new double[workloads.length];
      for (int i = 0; i < workloads.length; i++) {
        progress.show(
            workloads[i].name()
                + (round < 0 ? ", warm-up" : ", round " + (round + 1) + "/" + count));
        times[i] = workloads[i].run();
      }
      if (round >= 0) {
        result.rounds.add(times);
      }
    }
    return result;
  }

  /** Is told what is being measured. */
  interface Progress {
    void show(String text);
  }

  List<Workload> workloads() {
    return workloads;
  }

  /** Median milliseconds of a workload. */
  double milliseconds(int workload) {
    return median(rounds.stream().mapToDouble(times -> times[workload]).toArray());
  }

  /** Shortest of a workload. */
  double shortest(int workload) {
    return rounds.stream().mapToDouble(times -> times[workload]).min().orElse(Double.NaN);
  }

  /**
   * How many times as fast the first is as the second: the median over the rounds of the ratio
   * within a round, with its quartiles.
   */
  Ratio speed(int first, int second) {
    double[] ratios = rounds.stream().mapToDouble(t -> t[second] / t[first]).sorted().toArray();
    return new Ratio(quantile(ratios, 0.5), quantile(ratios, 0.25), quantile(ratios, 0.75));
  }

  /** A ratio with its quartiles over the rounds. */
  record Ratio(double median, double low, double high) {}

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return quantile(sorted, 0.5);
  }

  private static double quantile(double[] sorted, double q) {
    double at = q * (sorted.length - 1);
    int low = (int) Math.floor(at);
    int high = (int) Math.ceil(at);
    return sorted[low] + (at - low) * (sorted[high] - sorted[low]);
  }
}
