package dev.jformer.data.series.csv;

import dev.jformer.data.DataException;
import dev.jformer.data.series.Times;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Collects a column of times, eight bytes each, and decides what only the whole column shows:
 * whether days or months come first, and what offsets from UTC mean.
 */
final class TimeColumn {
  private final Path file;
  private final String name;
  private final TimeText text = new TimeText();
  private long[] times = new long[1024];
  private short[] offsets; // only if they differ
  private int offset;
  private final BitSet endsOfDays = new BitSet(); // rows with 24:00
  private int count;
  private TimeText.Kind kind;
  private boolean open;
  private String dayFirst;
  private String monthFirst;

  TimeColumn(Path file, String name) {
    this.file = file;
    this.name = name;
  }

  /** Adds a time. */
  void add(char[] chars, int from, int length, long line) {
    if (!text.read(chars, from, length)) {
      String shown = Sniffer.cut(new String(chars, from, length));
      throw wrong(
          line,
          shown.isBlank()
              ? "the time is missing: add it, or delete the row"
              : "'%s' is not a time: expected one such as 2016-07-01 04:00:00%s"
                  .formatted(shown, kind == null ? "" : ", as the " + kind.plural() + " before"));
    }
    if (kind == null) {
      kind = text.kind();
      offset = text.offset();
    } else if (!kind.fits(text.kind())) {
      throw wrong(
          line,
          "'%s' is not written as the %s before: write all times in one way"
              .formatted(new String(chars, from, length), kind.plural()));
    }
    if (text.kind() == TimeText.Kind.DATE_TIME) {
      kind = text.kind();
    }
    evidence(chars, from, length, line);
    if (count == times.length) {
      times = Arrays.copyOf(times, count + (count >> 1));
    }
    offset(line);
    endsOfDays.set(count, text.endsDay());
    times[count++] = text.micros();
  }

  private void evidence(char[] chars, int from, int length, long line) {
    switch (text.order()) {
      case OPEN -> open = true;
      case DAY_FIRST -> dayFirst = dayFirst == null ? where(chars, from, length, line) : dayFirst;
      case MONTH_FIRST ->
          monthFirst = monthFirst == null ? where(chars, from, length, line) : monthFirst;
      case GIVEN -> {}
    }
    if (dayFirst != null && monthFirst != null) {
      throw wrong(
          line,
          "the day comes first in %s and the month in %s: write dates as 2016-07-31"
              .formatted(dayFirst, monthFirst));
    }
  }

  private static String where(char[] chars, int from, int length, long line) {
    return "'" + new String(chars, from, length) + "' of line " + line;
  }

  private void offset(long line) {
    if (text.offset() == offset && offsets == null) {
      return;
    }
    if (text.offset() == TimeText.NO_OFFSET || offset == TimeText.NO_OFFSET) {
      throw wrong(
          line,
          "some times have an offset from UTC and some have none: write all of them in one way");
    }
    if (offsets == null) {
      offsets = new short[times.length];
      Arrays.fill(offsets, (short) offset);
    }
    if (offsets.length < times.length) {
      offsets = Arrays.copyOf(offsets, times.length);
    }
    offsets[count] = (short) text.offset();
  }

  private DataException wrong(long line, String what) {
    return new DataException("%s, line %d, column '%s': %s".formatted(file, line, name, what));
  }

  int count() {
    return count;
  }

  /**
   * The times with one order of day and month and one offset; decisions are added to the remarks.
   *
   * @param lines the line of each time
   */
  long[] settled(int[] lines, List<String> remarks) {
    times = Arrays.copyOf(times, count);
    if (kind != null && kind.isNumber()) {
      remarks.add(
          "column '%s' is read as %s%s"
              .formatted(name, kind.plural(), kind.isSince() ? ", in UTC" : ""));
    }
    if (kind == TimeText.Kind.SHORT_MONTH) {
      checkShortMonths(lines);
      remarks.add("column '%s' is read as %s".formatted(name, kind.plural()));
    }
    if (open || dayFirst != null || monthFirst != null) {
      settleOrder(remarks);
    }
    if (offsets != null) {
      settleOffsets(remarks);
    }
    return times;
  }

  private void settleOrder(List<String> remarks) {
    boolean month = monthFirst != null;
    String reason = month ? monthFirst : dayFirst;
    if (reason == null) {
      long[] exchanged = IntStream.range(0, count).mapToLong(this::exchanged).toArray();
      double asDays = irregularity(times);
      double asMonths = irregularity(exchanged);
      if (asDays == asMonths && !Arrays.equals(times, exchanged)) {
        throw new DataException(
            ("%s, column '%s': dates such as %s may begin with the day or with the month, and both make"
                    + " a regular series or neither does: write dates as 2016-07-31")
                .formatted(file, name, Times.text(times[0]).substring(0, 10)));
      }
      month = asMonths < asDays;
      reason = "so the rows are regular";
    }
    remarks.add(
        "dates in column '%s' have the %s first: %s"
            .formatted(name, month ? "month" : "day", reason));
    for (int i = 0; i < count && month; i++) {
      // Where the day is more than 12 the month was recognised at once.
      times[i] = dayOfMonth(i) <= 12 ? exchanged(i) : times[i];
    }
  }

  private long exchanged(int row) {
    return TimeText.exchanged(times[row], endsOfDays.get(row));
  }

  private int dayOfMonth(int row) {
    return Times.of(times[row] - (endsOfDays.get(row) ? 1 : 0)).getDayOfMonth();
  }

  /**
   * Checks that times such as Jan-20 are months and years, not months and days: the rows of two
   * months follow one another.
   */
  private void checkShortMonths(int[] lines) {
    for (int i = 1; i < count; i++) {
      long months = ChronoUnit.MONTHS.between(Times.of(times[i - 1]), Times.of(times[i]));
      if (Math.abs(months) > 11) {
        throw new DataException(
            ("%s, line %d, column '%s': times such as Jan-20 are read as months and years, and %s does"
                    + " not follow %s; write months as 2020-01, days as 2020-01-20")
                .formatted(file, lines[i], name, monthOf(i), monthOf(i - 1)));
      }
    }
  }

  private String monthOf(int row) {
    return Times.text(times[row]).substring(0, 7);
  }

  /** The number of steps for each row; infinite if the times follow no frequency. */
  private static double irregularity(long[] times) {
    long[] rising = Arrays.stream(times).sorted().distinct().toArray();
    boolean ordered = Arrays.equals(rising, times);
    try {
      Regularity found = Regularity.find(rising, rising.length);
      return (double) found.last() / rising.length + (ordered ? 0 : 1);
    } catch (Regularity.Irregular e) {
      return Double.POSITIVE_INFINITY;
    }
  }

  /** Decides, if offsets change with daylight saving, whether local time or UTC is regular. */
  private void settleOffsets(List<String> remarks) {
    long[] same = new long[count];
    for (int i = 0; i < count; i++) {
      same[i] = times[i] + (offset - offsets[i]) * 60L * Times.MICROS;
    }
    if (irregularity(times) <= irregularity(same)) {
      remarks.add("offsets from UTC change in column '" + name + "': local times are used");
      return;
    }
    times = same;
    remarks.add(
        "offsets from UTC change in column '%s': all times are converted to the first offset, %s%02d:%02d"
            .formatted(name, offset < 0 ? "-" : "+", Math.abs(offset) / 60, Math.abs(offset) % 60));
  }
}
