package dev.jformer.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Suggests the name that a user probably meant. */
public final class Nearest {
  /** The fewest letters of a part of a name that say which is meant. */
  private static final int SHORTEST = 3;

  private static final int MOST = 3;

  private Nearest() {}

  /**
   * A hint such as {@code "; did you mean 'flow'?"}, or an empty string if no name is similar. A
   * name is similar if few letters differ, or if it contains the wrong one as {@code llm-int8}
   * contains {@code int8}.
   */
  public static String hint(String wrong, Collection<String> names) {
    Optional<String> best =
        names.stream().min(Comparator.comparingInt(name -> distance(wrong, name)));
    return best.filter(name -> distance(wrong, name) <= Math.max(2, wrong.length() / 3))
        .map(name -> "; did you mean '" + name + "'?")
        .orElseGet(() -> containing(wrong, names));
  }

  private static String containing(String wrong, Collection<String> names) {
    List<String> longer =
        names.stream()
            .filter(name -> wrong.length() >= SHORTEST && name.contains(wrong))
            .limit(MOST)
            .map(name -> "'" + name + "'")
            .toList();
    return longer.isEmpty() ? "" : "; did you mean " + String.join(" or ", longer) + "?";
  }

  /** Levenshtein's distance: the least number of single-character edits. */
  static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(change, 1 + Math.min(previous[j], row[j - 1]));
      }
      previous = row;
    }
    return previous[b.length()];
  }
}
