package dev.jformer.data.text;

import java.util.List;

/**
 * Finds where two files part of which one should hold the translations of the other: the place that
 * leaves the lengths before and after it in the best proportion if the longer file has all its
 * surplus lines there.
 */
final class LineMismatch {
  private static final int SHOWN = 40;

  private LineMismatch() {}

  /** A sentence about the place. */
  static String of(List<String> source, List<String> target) {
    boolean more = source.size() > target.size();
    List<String> longer = more ? source : target;
    List<String> shorter = more ? target : source;
    if (shorter.isEmpty()) {
      return "one of them is empty";
    }
    int place = place(longer, shorter);
    if (place == shorter.size()) {
      return "the longer one goes on after line %d with '%s'"
          .formatted(place, cut(longer.get(place)));
    }
    return "they seem to part at line %d, '%s' and '%s'"
        .formatted(place + 1, cut(source.get(place)), cut(target.get(place)));
  }

  private static int place(List<String> longer, List<String> shorter) {
    int surplus = longer.size() - shorter.size();
    double usual = ratio(characters(longer), characters(shorter));
    double cost = 0;
    double least = 0;
    int place = 0;
    // The cost of a place is relative to that of the first one.
    for (int i = 0; i < shorter.size(); i++) {
      cost += distance(longer.get(i), shorter.get(i), usual);
      cost -= distance(longer.get(i + surplus), shorter.get(i), usual);
      if (cost < least) {
        least = cost;
        place = i + 1;
      }
    }
    return place;
  }

  private static double distance(String a, String b, double usual) {
    return Math.abs(ratio(a.length(), b.length()) - usual);
  }

  private static double ratio(long a, long b) {
    return Math.log((a + 1.0) / (b + 1.0));
  }

  private static long characters(List<String> lines) {
    return lines.stream().mapToLong(String::length).sum();
  }

  private static String cut(String text) {
    String line = text.replace('\r', ' ');
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN - 3) + "...";
  }
}
