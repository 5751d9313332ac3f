package dev.jformer.data.text;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** The place of the label in a line: before the first tab or after the last one. */
enum LabelColumn {
  FIRST,
  LAST;

  /** Rows that are needed to tell labels from texts by how often they repeat. */
  private static final int ENOUGH = 4;

  private static final Set<String> NAMES =
      Set.of(
          "label",
          "labels",
          "class",
          "category",
          "target",
          "sentiment",
          "topic",
          "intent",
          "stars",
          "rating",
          "score",
          "gold",
          "gold_label",
          "label_text",
          "is_spam",
          "spam",
          "polarity",
          "emotion",
          "y");

  /**
   * The column that holds known classes or, without them, whose values repeat where those of the
   * other column do not; the last one in case of doubt.
   */
  static LabelColumn of(List<String> lines, List<String> known) {
    Set<String> first = new HashSet<>();
    Set<String> last = new HashSet<>();
    int rows = 0;
    int firstKnown = 0;
    int lastKnown = 0;
    for (String line : lines) {
      if (line.indexOf('\t') >= 0) {
        rows++;
        first.add(FIRST.label(line));
        last.add(LAST.label(line));
        firstKnown += known.contains(FIRST.label(line)) ? 1 : 0;
        lastKnown += known.contains(LAST.label(line)) ? 1 : 0;
      }
    }
    if (firstKnown != lastKnown) {
      return firstKnown > lastKnown ? FIRST : LAST;
    }
    boolean repeats = rows >= ENOUGH && 2 * first.size() <= rows && 2 * last.size() > rows;
    return repeats ? FIRST : LAST;
  }

  String label(String line) {
    return (this == FIRST
            ? line.substring(0, Math.max(0, line.indexOf('\t')))
            : line.substring(tabOrEnd(line)))
        .strip();
  }

  private static int tabOrEnd(String line) {
    int tab = line.lastIndexOf('\t');
    return tab < 0 ? line.length() : tab + 1;
  }

  String text(String line) {
    return (this == FIRST
            ? line.substring(line.indexOf('\t') + 1)
            : line.substring(0, Math.max(0, line.lastIndexOf('\t'))))
        .strip();
  }

  /**
   * Whether the first line names the columns: its label is one that nothing else has, and is a
   * usual name of such a column or stands beside a single word while all other labels repeat.
   */
  boolean isHeader(List<String> lines) {
    Map<String, Integer> counts = new HashMap<>();
    for (String line : lines) {
      if (!line.isBlank()) {
        counts.merge(label(line), 1, Integer::sum);
      }
    }
    if (lines.size() < 2 || lines.get(0).indexOf('\t') < 0) {
      return false;
    }
    String label = label(lines.get(0));
    if (label.isEmpty() || counts.remove(label) != 1) {
      return false;
    }
    boolean word = text(lines.get(0)).chars().noneMatch(Character::isWhitespace);
    boolean othersRepeat = counts.values().stream().allMatch(count -> count > 1);
    return NAMES.contains(label.toLowerCase(Locale.ROOT)) || (word && othersRepeat);
  }
}
