package dev.jformer.data.series.csv;

import dev.jformer.data.DataException;
import dev.jformer.data.series.Frequency;
import dev.jformer.data.series.Gaps;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Times;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Puts a file's rows in order: sorts them, resolves times that occur twice, finds the frequency and
 * fills gaps.
 */
final class Timeline {
  /** Number of gaps that are reported one by one. */
  private static final int REPORTED = 5;

  private final Path file;
  private final List<String> remarks;
  private long[] times;
  private int[] lines;

  Timeline(Path file, long[] times, int[] lines, List<String> remarks) {
    this.file = file;
    this.times = times;
    this.lines = lines;
    this.remarks = remarks;
  }

  /** Makes the series of these columns; changes their arrays. */
  Series series(List<String> names, List<double[]> columns, Gaps gaps) {
    double[][] values = columns.toArray(double[][]::new);
    sort(values);
    mergeRepeated(values);
    Regularity regularity = regularity();
    missingValues(names, values, gaps);
    missingRows(regularity, gaps);
    int rows = Math.toIntExact(regularity.last() + 1);
    for (int c = 0; c < values.length; c++) {
      values[c] = spread(values[c], regularity.steps(), rows);
      fill(values[c], gaps);
    }
    Series series = Series.of(names, Times.of(times[0]), regularity.frequency(), values);
    for (String name : series.constant()) {
      remarks.add(
          "column '%s' holds one value only, %s"
              .formatted(name, series.value(0, names.indexOf(name))));
    }
    remarks.add(
        "%d rows every %s from %s to %s, columns %s"
            .formatted(
                rows,
                regularity.frequency(),
                Times.text(series.time(0)),
                Times.text(series.time(rows - 1)),
                names));
    return series;
  }

  // ---- Order

  private void sort(double[][] values) {
    int falls = 0;
    int first = 0;
    boolean falling = true;
    for (int i = 1; i < times.length; i++) {
      falling &= times[i] < times[i - 1];
      if (times[i] < times[i - 1]) {
        falls++;
        first = first == 0 ? i : first;
      }
    }
    if (falls == 0) {
      return;
    }
    int last = times.length - 1;
    int[] order =
        falling
            ? IntStream.rangeClosed(0, last).map(i -> last - i).toArray()
            : IntStream.rangeClosed(0, last)
                .boxed()
                .sorted(Comparator.comparingLong(i -> times[i])) // which keeps the file's order
                .mapToInt(i -> i)
                .toArray();
    remarks.add(
        falling
            ? "rows run backwards in time: their order was reversed"
            : "rows are out of order, the first in line %d: they were sorted by time"
                .formatted(lines[first]));
    rearrange(order, order.length, values);
  }

  private void rearrange(int[] order, int count, double[][] values) {
    long[] oldTimes = times;
    int[] oldLines = lines;
    times = IntStream.range(0, count).mapToLong(i -> oldTimes[order[i]]).toArray();
    lines = IntStream.range(0, count).map(i -> oldLines[order[i]]).toArray();
    for (int c = 0; c < values.length; c++) {
      double[] sorted = new double[count];
      for (int i = 0; i < count; i++) {
        sorted[i] = values[c][order[i]];
      }
      values[c] = sorted;
    }
  }

  // ---- Times that occur twice

  /**
   * Merges rows of the same time. Equal rows become one; an hour that occurs twice because clocks
   * are set back becomes its mean; anything else is an error.
   */
  private void mergeRepeated(double[][] values) {
    int[] kept = new int[times.length];
    int count = 0;
    int repeated = 0;
    int averaged = 0;
    String setBack = null;
    for (int i = 0; i < times.length; i++) {
      int before = count - 1;
      if (count == 0 || times[kept[before]] != times[i]) {
        kept[count++] = i;
        continue;
      }
      if (same(values, kept[before], i)) {
        repeated++;
      } else if (mayBeSetBack(i)) {
        setBack = setBack == null ? Times.text(times[i]) : setBack;
        averaged++;
        for (double[] column : values) {
          column[kept[before]] = mean(column[kept[before]], column[i]);
        }
      } else {
        throw new DataException(
            "%s, lines %d and %d: both have the time %s and they differ; expected one row for each time"
                .formatted(file, lines[kept[before]], lines[i], Times.text(times[i])));
      }
    }
    if (count == times.length) {
      return;
    }
    if (repeated > 0) {
      remarks.add("%d rows repeat another row: they were left out".formatted(repeated));
    }
    if (averaged > 0) {
      remarks.add(
          "%d times occur twice where clocks are set back, the first %s: their mean was taken"
              .formatted(averaged, setBack));
    }
    rearrange(kept, count, values);
  }

  private static boolean same(double[][] values, int a, int b) {
    return Arrays.stream(values).allMatch(column -> Double.compare(column[a], column[b]) == 0);
  }

  private static double mean(double a, double b) {
    return Double.isNaN(a) ? b : Double.isNaN(b) ? a : a / 2 + b / 2;
  }

  /** Whether it is early on a Sunday in autumn, north or south, and occurs only twice. */
  private boolean mayBeSetBack(int row) {
    LocalDateTime time = Times.of(times[row]);
    int month = time.getMonthValue();
    return time.getDayOfWeek() == java.time.DayOfWeek.SUNDAY
        && time.getHour() <= 3
        && (month == 3 || month == 4 || (month >= 9 && month <= 11))
        && (row < 2 || times[row - 2] != times[row]);
  }

  // ---- Gaps

  private Regularity regularity() {
    try {
      return Regularity.find(times, times.length);
    } catch (Regularity.Irregular e) {
      throw new DataException(
          ("%s, line %d: %s; expected rows at one frequency, such as every hour or every month, of"
                  + " which some may be missing; average them over hours or days first")
              .formatted(file, lines[e.row()], e.getMessage()),
          e);
    }
  }

  private void missingValues(List<String> names, double[][] values, Gaps gaps) {
    for (int c = 0; c < values.length; c++) {
      int missing = 0;
      int first = -1;
      for (int i = 0; i < times.length; i++) {
        if (Double.isNaN(values[c][i])) {
          missing++;
          first = first < 0 ? i : first;
        }
      }
      if (missing == 0) {
        continue;
      }
      if (gaps == Gaps.ERROR) {
        throw new DataException(
            ("%s, line %d, column '%s': the value of %s is missing, %d in the column: expected a"
                    + " number; choose how gaps are filled")
                .formatted(file, lines[first], names.get(c), Times.text(times[first]), missing));
      }
      remarks.add(
          "column '%s': %d missing value%s %s, the first in line %d (%s)"
              .formatted(
                  names.get(c),
                  missing,
                  missing == 1 ? "" : "s",
                  gaps.remark(),
                  lines[first],
                  Times.text(times[first])));
    }
  }

  private void missingRows(Regularity regularity, Gaps gaps) {
    long[] steps = regularity.steps();
    Frequency frequency = regularity.frequency();
    List<String> reported = new ArrayList<>();
    int more = 0;
    long moreRows = 0;
    for (int i = 1; i < steps.length; i++) {
      long missing = steps[i] - steps[i - 1] - 1;
      if (missing == 0) {
        continue;
      }
      String gap =
          "%d missing %s after %s"
              .formatted(missing, frequency.steps(missing), Times.text(times[i - 1]));
      if (gaps == Gaps.ERROR) {
        throw new DataException(
            "%s, line %d: %s: expected a row every %s; choose how gaps are filled"
                .formatted(file, lines[i], gap, frequency));
      }
      if (reported.size() < REPORTED) {
        reported.add(gap + " " + gaps.remark());
      } else {
        more++;
        moreRows += missing;
      }
    }
    remarks.addAll(reported);
    if (more > 0) {
      remarks.add(
          "%d more gap%s of %d %s in all %s"
              .formatted(
                  more, more == 1 ? "" : "s", moreRows, frequency.steps(moreRows), gaps.remark()));
    }
  }

  private static double[] spread(double[] values, long[] steps, int rows) {
    if (rows == values.length) {
      return values;
    }
    double[] wide = new double[rows];
    Arrays.fill(wide, Double.NaN);
    for (int i = 0; i < values.length; i++) {
      wide[(int) steps[i]] = values[i];
    }
    return wide;
  }

  /** Fills values that are NaN; at least one value is not. */
  static void fill(double[] values, Gaps gaps) {
    for (int from = 0; from < values.length; from++) {
      if (!Double.isNaN(values[from])) {
        continue;
      }
      int to = from;
      while (to < values.length && Double.isNaN(values[to])) {
        to++;
      }
      double before = from > 0 ? values[from - 1] : values[to];
      double after = to < values.length ? values[to] : before;
      for (int i = from; i < to; i++) {
        double share = (i - from + 1.0) / (to - from + 1.0);
        values[i] =
            switch (gaps) {
              case ZERO -> 0;
              case PREVIOUS -> before;
              case LINEAR -> before + share * (after - before);
              case ERROR -> throw new AssertionError("missing values were already refused");
            };
      }
      from = to;
    }
  }
}
