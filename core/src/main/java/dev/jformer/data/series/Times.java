package dev.jformer.data.series;

import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;

/** Times as microseconds since 1970 on a clock without a zone: eight bytes each. */
public final class Times {
  /** In a second. */
  public static final long MICROS = 1_000_000;

  private static final LocalDateTime EPOCH = LocalDateTime.of(1970, 1, 1, 0, 0);
  private static final DateTimeFormatter MINUTES = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm");

  private Times() {}

  public static long micros(LocalDateTime time) {
    return ChronoUnit.MICROS.between(EPOCH, time);
  }

  public static LocalDateTime of(long micros) {
    return EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  /**
   * As people write it: without the time of day at midnight, without seconds where there are none.
   */
  public static String text(LocalDateTime time) {
    if (time.toLocalTime().equals(LocalTime.MIDNIGHT)) {
      return time.toLocalDate().toString();
    }
    return time.truncatedTo(ChronoUnit.MINUTES).equals(time)
        ? MINUTES.format(time)
        : time.toString().replace('T', ' ');
  }

  public static String text(long micros) {
    return text(of(micros));
  }
}
