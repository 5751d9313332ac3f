package dev.jformer.app.bench;

import dev.jformer.studies.trial.InterleavedTimer;
import dev.jformer.studies.trial.Timings;
import java.util.List;
import java.util.function.Consumer;

/**
 * Times of workloads that had their turns round by round.
 *
 * @param workloads in the order of their turns
 * @param timings of them
 */
record Rounds(List<Workload> workloads, Timings timings) {
  /** Measures: every workload once to warm up, then once a round. */
  static Rounds measure(int count, Consumer<String> progress, Workload... workloads) {
    List<Workload> all = List.of(workloads);
    return new Rounds(
        all,
        InterleavedTimer.measure(
            all,
            1,
            count,
            (piece, round) ->
                progress.accept(
                    all.get(piece).name()
                        + (round < 0 ? ", warm-up" : ", round " + (round + 1) + "/" + count))));
  }

  /** Median milliseconds of a workload. */
  double milliseconds(int workload) {
    return 1e3 * timings.of(workload).median();
  }

  /** How many times as fast the first is as the second, within a round. */
  Timings.Statistics speed(int first, int second) {
    return timings.ratio(second, first);
  }
}
