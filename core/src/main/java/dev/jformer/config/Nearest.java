package dev.jformer.config;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Suggests the name that a user probably meant. */
public final class Nearest {
  private Nearest() {}

  /** A hint such as {@code "; did you mean 'flow'?"}, or an empty string if no name is similar. */
  public static String hint(String wrong, Collection<String> names) {
    Optional<String> best =
        names.stream().min(Comparator.comparingInt(name -> distance(wrong, name)));
    return best.filter(name -> distance(wrong, name) <= Math.max(2, wrong.length() / 3))
        .map(name -> "; did you mean '" + name + "'?")
        .orElse("");
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
