package dev.jformer.data.series.csv;

import dev.jformer.data.DataException;
import dev.jformer.data.series.Frequency;
import dev.jformer.data.series.Times;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The frequency of increasing times, and the step of each; steps without a time are gaps.
 *
 * @param frequency the frequency
 * @param steps the step of each time, from 0
 */
@SuppressWarnings("ArrayRecordComponent")
public record Regularity(Frequency frequency, long[] steps) {
  private static final long MILLI = 1_000;
  private static final long DAY = 86_400 * Times.MICROS;

  /** A series with more missing rows than this for each present one counts as irregular. */
  private static final int MOST_MISSING = 9;

  /** Thrown when times follow no frequency. */
  static final class Irregular extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int row;

    Irregular(int row, String message) {
      super(message);
      this.row = row;
    }

    /** The index of the time that does not fit. */
    int row() {
      return row;
    }
  }

  /**
   * Finds the frequency of times.
   *
   * @throws DataException if they follow none
   */
  public static Regularity of(long[] times, int count) {
    try {
      return find(times, count);
    } catch (Irregular e) {
      throw new DataException(e.getMessage(), e);
    }
  }

  static Regularity find(long[] times, int count) {
    if (count < 2) {
      throw new Irregular(
          0, "a frequency needs two or more rows: there " + (count == 1 ? "is 1" : "are none"));
    }
    for (int i = 1; i < count; i++) {
      if (times[i] <= times[i - 1]) {
        throw new Irregular(
            i, "%s is not later than %s".formatted(Times.text(times[i]), Times.text(times[i - 1])));
      }
    }
    long usual = usual(times, count);
    if (usual >= 28 * DAY) {
      Regularity months = months(times, count);
      if (months != null) {
        return months;
      }
    }
    if (usual == DAY) {
      Regularity days = businessDays(times, count);
      if (days != null) {
        return days;
      }
    }
    return fixed(times, count, usual);
  }

  /** The most frequent distance; of equally frequent ones the shortest. */
  private static long usual(long[] times, int count) {
    Map<Long, Integer> distances = new HashMap<>();
    for (int i = 1; i < count; i++) {
      distances.merge(times[i] - times[i - 1], 1, Integer::sum);
    }
    int most = 0;
    long usual = 0;
    for (Map.Entry<Long, Integer> entry : distances.entrySet()) {
      int often = entry.getValue();
      if (often > most || (often == most && entry.getKey() < usual)) {
        most = often;
        usual = entry.getKey();
      }
    }
    return usual;
  }

  private static Regularity fixed(long[] times, int count, long step) {
    if (step % MILLI != 0 || step / MILLI > Integer.MAX_VALUE * 1_000L) {
      throw new Irregular(
          1,
          "%s and %s are %s apart: expected a whole number of milliseconds, or months"
              .formatted(Times.text(times[0]), Times.text(times[1]), text(times[1] - times[0])));
    }
    long[] steps = new long[count];
    for (int i = 1; i < count; i++) {
      long distance = times[i] - times[i - 1];
      if (distance % step != 0) {
        throw new Irregular(
            i,
            "%s comes %s after %s, where rows are usually %s apart"
                .formatted(
                    Times.text(times[i]), text(distance), Times.text(times[i - 1]), text(step)));
      }
      steps[i] = steps[i - 1] + distance / step;
    }
    return new Regularity(Frequency.ofMillis(step / MILLI), steps).checked(times);
  }

  /** Months, quarters or years on one day of the month or on the last; null if it is neither. */
  private static Regularity months(long[] times, int count) {
    int anchor = 0;
    boolean ends = true;
    long common = 0;
    LocalTime clock = Times.of(times[0]).toLocalTime();
    long[] steps = new long[count];
    for (int i = 0; i < count; i++) {
      LocalDateTime time = Times.of(times[i]);
      LocalDate date = time.toLocalDate();
      if (!time.toLocalTime().equals(clock)) {
        return null;
      }
      anchor = Math.max(anchor, date.getDayOfMonth());
      ends &= date.getDayOfMonth() == date.lengthOfMonth();
      steps[i] = date.getYear() * 12L + date.getMonthValue();
      if (i > 0) {
        if (steps[i] == steps[i - 1]) {
          return null;
        }
        common = gcd(common, steps[i] - steps[i - 1]);
      }
    }
    for (int i = 0; i < count && !ends; i++) {
      LocalDate date = Times.of(times[i]).toLocalDate();
      if (date.getDayOfMonth() != Math.min(anchor, date.lengthOfMonth())) {
        return null;
      }
    }
    if (!ends && Times.of(times[0]).getDayOfMonth() < anchor) {
      return null; // the first time does not show the day that the others follow
    }
    long first = steps[0];
    for (int i = 0; i < count; i++) {
      steps[i] = (steps[i] - first) / common;
    }
    Frequency frequency =
        Frequency.ofMonths(Math.toIntExact(common), ends && !sameDay(times, count));
    return new Regularity(frequency, steps).checked(times);
  }

  private static boolean sameDay(long[] times, int count) {
    int day = Times.of(times[0]).getDayOfMonth();
    for (int i = 1; i < count; i++) {
      if (Times.of(times[i]).getDayOfMonth() != day) {
        return false;
      }
    }
    return true;
  }

  /** Days that skip all weekends, of which there was at least one; null if they are not. */
  private static Regularity businessDays(long[] times, int count) {
    LocalTime clock = Times.of(times[0]).toLocalTime();
    long[] steps = new long[count];
    long first = Frequency.businessDay(Times.of(times[0]).toLocalDate());
    for (int i = 0; i < count; i++) {
      LocalDateTime time = Times.of(times[i]);
      if (Frequency.isWeekend(time.toLocalDate()) || !time.toLocalTime().equals(clock)) {
        return null;
      }
      steps[i] = Frequency.businessDay(time.toLocalDate()) - first;
    }
    boolean sawWeekend = (times[count - 1] - times[0]) / DAY > steps[count - 1];
    return sawWeekend
        ? new Regularity(Frequency.of(1, Frequency.Unit.BUSINESS_DAY), steps).checked(times)
        : null;
  }

  private Regularity checked(long[] times) {
    long rows = last() + 1;
    if (rows > (MOST_MISSING + 1L) * steps.length || rows > Integer.MAX_VALUE - 16) {
      int widest = 1;
      for (int i = 1; i < steps.length; i++) {
        if (steps[i] - steps[i - 1] > steps[widest] - steps[widest - 1]) {
          widest = i;
        }
      }
      throw new Irregular(
          widest,
          ("there are %d rows of the %d that a frequency of %s needs: expected at least one in %d; the widest"
                  + " gap is before %s")
              .formatted(
                  steps.length, rows, frequency, MOST_MISSING + 1, Times.text(times[widest])));
    }
    return this;
  }

  /** The last time's step: one less than the rows of the series without gaps. */
  long last() {
    return steps[steps.length - 1];
  }

  private static long gcd(long a, long b) {
    return b == 0 ? a : gcd(b, a % b);
  }

  private static String text(long micros) {
    return micros % MILLI == 0 && micros / MILLI <= Integer.MAX_VALUE * 1_000L
        ? Frequency.ofMillis(micros / MILLI).toString()
        : micros + " µs";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Regularity that
        && frequency.equals(that.frequency)
        && Arrays.equals(steps, that.steps);
  }

  @Override
  public int hashCode() {
    return 31 * frequency.hashCode() + Arrays.hashCode(steps);
  }
}
