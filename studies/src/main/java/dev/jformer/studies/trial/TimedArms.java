package dev.jformer.studies.trial;

import dev.jformer.studies.evidence.Estimate;
import dev.jformer.studies.evidence.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Times of arms that had their turns round by round, to be kept by {@link
 * dev.jformer.studies.ExperimentContext#measure}.
 *
 * @param names of the arms
 * @param timings of them, in this order
 */
public record TimedArms(List<String> names, Timings timings) {
  /**
   * Measures arms in turns.
   *
   * @param work of each arm, run in a scope of its own each time
   * @param warmUp rounds that do not count
   * @param rounds at least 1
   */
  public static TimedArms measure(Map<String, Runnable> work, int warmUp, int rounds) {
    return new TimedArms(
        List.copyOf(work.keySet()),
        InterleavedTimer.measure(List.copyOf(work.values()), warmUp, rounds));
  }

  /** Median seconds of an arm. */
  public double seconds(String arm) {
    return timings.of(index(arm)).median();
  }

  /** How many times as long as another an arm takes. */
  public Estimate ratio(String arm, String other) {
    return timings.ratio(index(arm), index(other)).estimate();
  }

  private int index(String arm) {
    int index = names.indexOf(arm);
    if (index < 0) {
      throw new IllegalArgumentException("no arm is called '" + arm + "': there are " + names);
    }
    return index;
  }

  /**
   * A table with a row for each arm: milliseconds, and those as a multiple of the first arm's.
   *
   * @param arm title of the first column
   * @param ratio title of the last column
   */
  public Table table(String title, String arm, String ratio) {
    List<List<String>> rows = new ArrayList<>();
    for (String name : names) {
      rows.add(Table.row(name, 1e3 * seconds(name), ratio(name, names.get(0)).value()));
    }
    return new Table(title, List.of(arm, "ms", ratio), rows);
  }
}
