package dev.jformer.data.series.csv;

import java.util.ArrayList;
import java.util.List;

/** The texts of some rows' times, spread over a file of any length. */
final class TimeSample {
  private static final int MOST = 512;

  /** Not a divisor of the rows of an hour, a day or a year, so that all of their times occur. */
  private static final int STRIDE = 7;

  private final List<Integer> rows = new ArrayList<>();
  private final List<String> texts = new ArrayList<>();
  private final List<String> clocks = new ArrayList<>();
  private int every = 1;

  /**
   * Adds the next row's texts.
   *
   * @param clockLength the length of its time of day, which stands in a column of its own; 0 for
   *     none
   */
  void add(int row, char[] stamp, int stampLength, char[] clock, int clockLength) {
    if (row % every != 0) {
      return;
    }
    if (rows.size() == MOST) {
      thin();
    }
    rows.add(row);
    texts.add(new String(stamp, 0, stampLength));
    clocks.add(new String(clock, 0, clockLength));
  }

  private void thin() {
    every *= STRIDE;
    for (int i = rows.size() - 1; i >= 0; i--) {
      if (rows.get(i) % every != 0) {
        rows.remove(i);
        texts.remove(i);
        clocks.remove(i);
      }
    }
  }

  List<Integer> rows() {
    return rows;
  }

  /** The texts of each column. */
  List<List<String>> texts() {
    boolean two = clocks.stream().noneMatch(String::isEmpty);
    return two ? List.of(texts, clocks) : List.of(texts);
  }
}
