package dev.jformer.search;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a search has tried.
 *
 * @param trials in order
 */
public record SearchResult(List<Trial> trials) {
  /** Copies the trials. */
  public SearchResult {
    trials = List.copyOf(trials);
  }

  /**
   * Values and how good they are.
   *
   * @param values by name
   * @param score higher is better; NaN if there is none, which is worse than all
   */
  public record Trial(Map<String, Double> values, double score) {
    /** Whether this is better than another; null is worse than all. */
    boolean isBetterThan(Trial other) {
      return other == null || score > other.score || Double.isNaN(other.score);
    }
  }

  /** The best trial; the first of equals. */
  public Trial best() {
    Trial best = null;
    for (Trial trial : trials) {
      best = trial.isBetterThan(best) ? trial : best;
    }
    return best;
  }

  /** The best score after each trial. */
  public List<Double> course() {
    List<Double> course = new ArrayList<>();
    Trial best = null;
    for (Trial trial : trials) {
      best = trial.isBetterThan(best) ? trial : best;
      course.add(best.score());
    }
    return course;
  }
}
