package dev.jformer.studies.report;

import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

/**
 * The labelled times of an axis in seconds since 1970.
 *
 * @param unit of the distance between two of them
 * @param count number of units
 * @param low the smallest time shown
 * @param high the largest
 */
record DateTicks(ChronoUnit unit, int count, double low, double high) {
  private static final int MOST = 6;
  private static final List<ChronoUnit> UNITS =
      List.of(
          ChronoUnit.SECONDS,
          ChronoUnit.MINUTES,
          ChronoUnit.HOURS,
          ChronoUnit.DAYS,
          ChronoUnit.MONTHS,
          ChronoUnit.YEARS);

  /** Ticks at round times between two. */
  static DateTicks between(double low, double high) {
    for (ChronoUnit unit : UNITS) {
      for (int count : counts(unit)) {
        if ((high - low) / seconds(unit, count) <= MOST) {
          return new DateTicks(unit, count, low, high);
        }
      }
    }
    int years = (int) Math.ceil((high - low) / seconds(ChronoUnit.YEARS, MOST));
    return new DateTicks(ChronoUnit.YEARS, years, low, high);
  }

  private static int[] counts(ChronoUnit unit) {
    return switch (unit) {
      case SECONDS, MINUTES -> new int[] {1, 2, 5, 10, 15, 30};
      case HOURS -> new int[] {1, 2, 3, 6, 12};
      case DAYS -> new int[] {1, 2, 7, 14};
      case MONTHS -> new int[] {1, 2, 3, 6};
      default -> new int[] {1, 2, 5, 10, 20, 50, 100};
    };
  }

  private static double seconds(ChronoUnit unit, int count) {
    Duration one = unit.getDuration();
    return (double) one.toSeconds() * count;
  }

  /** The times, in seconds. */
  List<Double> ticks() {
    List<Double> ticks = new ArrayList<>();
    LocalDateTime time = before(time(low));
    while (seconds(time) <= high) {
      if (seconds(time) >= low) {
        ticks.add(seconds(time));
      }
      time = time.plus(count, unit);
    }
    return ticks;
  }

  /** The round time at or before another. */
  private LocalDateTime before(LocalDateTime time) {
    return switch (unit) {
      case YEARS -> LocalDateTime.of(Math.floorDiv(time.getYear(), count) * count, 1, 1, 0, 0);
      case MONTHS ->
          LocalDateTime.of(time.getYear(), (time.getMonthValue() - 1) / count * count + 1, 1, 0, 0);
      case DAYS ->
          time.truncatedTo(ChronoUnit.DAYS)
              .minusDays(Math.floorMod(time.toLocalDate().toEpochDay(), count));
      default -> time.truncatedTo(ChronoUnit.DAYS);
    };
  }

  /** The label of a time. */
  String label(double tick) {
    return DateTimeFormatter.ofPattern(
            switch (unit) {
              case YEARS -> "yyyy";
              case MONTHS -> "yyyy-MM";
              case DAYS -> "yyyy-MM-dd";
              case HOURS, MINUTES -> "MM-dd HH:mm";
              default -> "HH:mm:ss";
            })
        .format(time(tick));
  }

  /** A time with all of its parts. */
  static String text(double seconds) {
    LocalDateTime time = time(seconds);
    boolean midnight = time.equals(time.truncatedTo(ChronoUnit.DAYS));
    return midnight ? time.toLocalDate().toString() : time.toString().replace('T', ' ');
  }

  private static LocalDateTime time(double seconds) {
    return LocalDateTime.ofEpochSecond((long) Math.floor(seconds), 0, ZoneOffset.UTC);
  }

  private static double seconds(LocalDateTime time) {
    return time.toEpochSecond(ZoneOffset.UTC);
  }
}
