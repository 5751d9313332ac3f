package dev.jformer.data.series;

import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;

/** Times as microseconds since 1970 on a clock without a zone: eight bytes each. */
public final class Times {
  /** Microseconds in a second. */
  public static final long MICROS = 1_000_000;

  private static final LocalDateTime EPOCH = LocalDateTime.of(1970, 1, 1, 0, 0);
  private static final DateTimeFormatter MINUTES = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");

  private Times() {}

  /** The microseconds of a time. */
  public static long micros(LocalDateTime time) {
    return ChronoUnit.MICROS.between(EPOCH, time);
  }

  /** The time of a number of microseconds. */
  public static LocalDateTime of(long micros) {
    return EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  /**
   * A time as text, as people write it: without the time of day at midnight, without seconds if
   * they are 0.
   */
  public static String text(LocalDateTime time) {
    if (time.toLocalTime().equals(LocalTime.MIDNIGHT)) {
      return time.toLocalDate().toString();
    }
    return time.truncatedTo(ChronoUnit.MINUTES).equals(time)
        ? MINUTES.format(time)
        : time.toString().replace('T', ' ');
  }

  /** A time in microseconds as text. */
  public static String text(long micros) {
    return text(of(micros));
  }
}
