package dev.jformer.data.series;

import dev.jformer.data.DataException;
import dev.jformer.data.series.csv.Regularity;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The distance between the rows of a series: a fixed time such as an hour, or a step of the
 * calendar such as a business day, a month or a month's last day.
 *
 * <p>The text form is a count and a unit, as {@code 15min}, {@code 1h}, {@code 1d}, {@code 1bd},
 * {@code 1w}, {@code 1mo}, {@code 1me}, {@code 1q}, {@code 1y}. Equal frequencies have the same
 * form: 60 minutes are {@code 1h}.
 */
public final class Frequency {
  /** The unit that a frequency counts in. */
  public enum Unit {
    /** Milliseconds. */
    MILLISECOND("ms", 1),
    /** Seconds. */
    SECOND("s", 1_000),
    /** Minutes. */
    MINUTE("min", 60_000),
    /** Hours. */
    HOUR("h", 3_600_000),
    /** Days. */
    DAY("d", 86_400_000),
    /** Monday to Friday. */
    BUSINESS_DAY("bd", 0),
    /** Weeks. */
    WEEK("w", 7 * 86_400_000L),
    /** Months, on the same day of each, or on the last day of a month that lacks it. */
    MONTH("mo", 0),
    /** Months, on the last day of each. */
    MONTH_END("me", 0),
    /** Three months. */
    QUARTER("q", 0),
    /** Twelve months. */
    YEAR("y", 0);

    private final String symbol;
    private final long millis;

    Unit(String symbol, long millis) {
      this.symbol = symbol;
      this.millis = millis;
    }

    private static Unit of(String text) {
      for (Unit unit : values()) {
        if (unit.symbol.equals(text)) {
          return unit;
        }
      }
      return null;
    }
  }

  private static final Pattern TEXT = Pattern.compile("(\\d{0,10})\\s*([a-z]+)");
  private static final String FORMS =
      "a count and one of ms, s, min, h, d, bd (business day), w, mo, me (month's end), q, y, as in"
          + " 15min, 1h, 1d, 1mo";

  private final int count;
  private final Unit unit;

  private Frequency(int count, Unit unit) {
    this.count = count;
    this.unit = unit;
  }

  /**
   * A frequency of {@code count} units.
   *
   * @throws IllegalArgumentException if {@code count} is not positive
   */
  public static Frequency of(int count, Unit unit) {
    if (count < 1) {
      throw new IllegalArgumentException(
          "the count of a frequency is " + count + ": expected at least 1");
    }
    if (unit.millis > 0) {
      return ofMillis(count * unit.millis);
    }
    if (unit == Unit.MONTH || unit == Unit.QUARTER || unit == Unit.YEAR) {
      return ofMonths(Math.multiplyExact(count, months(unit)), false);
    }
    return new Frequency(count, unit);
  }

  /** A frequency of a fixed time, in its largest unit. */
  public static Frequency ofMillis(long millis) {
    Unit best = Unit.MILLISECOND;
    for (Unit unit : Unit.values()) {
      if (unit.millis > best.millis && millis % unit.millis == 0) {
        best = unit;
      }
    }
    return new Frequency(Math.toIntExact(millis / best.millis), best);
  }

  /** A frequency of months, in its largest unit; if {@code atEnd}, on the last day of the month. */
  public static Frequency ofMonths(int months, boolean atEnd) {
    if (atEnd) {
      return new Frequency(months, Unit.MONTH_END);
    }
    Unit unit = months % 12 == 0 ? Unit.YEAR : months % 3 == 0 ? Unit.QUARTER : Unit.MONTH;
    return new Frequency(months / months(unit), unit);
  }

  private static int months(Unit unit) {
    return switch (unit) {
      case MONTH, MONTH_END -> 1;
      case QUARTER -> 3;
      case YEAR -> 12;
      default -> 0;
    };
  }

  /**
   * Reads the text form. The count may be missing ({@code h}); hourly, daily, business daily,
   * weekly, monthly, quarterly and yearly are also accepted.
   *
   * @throws DataException if the text is not a frequency
   */
  public static Frequency parse(String text) {
    String trimmed = text.strip().toLowerCase(Locale.ROOT);
    String plain =
        switch (trimmed) {
          case "hourly" -> "1h";
          case "daily" -> "1d";
          case "business daily" -> "1bd";
          case "weekly" -> "1w";
          case "monthly" -> "1mo";
          case "quarterly" -> "1q";
          case "yearly" -> "1y";
          default -> trimmed;
        };
    Matcher matcher = TEXT.matcher(plain);
    if (matcher.matches()) {
      long count = matcher.group(1).isEmpty() ? 1 : Long.parseLong(matcher.group(1));
      Unit unit = Unit.of(matcher.group(2));
      if (unit != null && count > 0 && count <= (unit.millis > 0 ? Integer.MAX_VALUE : 100_000)) {
        try {
          return of((int) count, unit);
        } catch (ArithmeticException e) {
          throw new DataException("the frequency '" + text + "' is too long to count", e);
        }
      }
    }
    throw new DataException("'" + text + "' is not a frequency: expected " + FORMS);
  }

  /**
   * Infers the frequency of increasing times; some may be missing.
   *
   * @throws DataException if there are fewer than two, they do not increase, or they follow no
   *     frequency; the message names the first time that does not fit
   */
  public static Frequency infer(LocalDateTime... times) {
    long[] instants = new long[times.length];
    for (int i = 0; i < times.length; i++) {
      instants[i] = Times.micros(times[i]);
    }
    return Regularity.of(instants, instants.length).frequency();
  }

  /** The unit. */
  public Unit unit() {
    return unit;
  }

  /** Number of units in a step. */
  public int count() {
    return count;
  }

  /** A step in milliseconds if it is a fixed time, else 0. */
  long millis() {
    return count * unit.millis;
  }

  /** A step in months if it counts months, else 0. */
  int months() {
    return count * months(unit);
  }

  /**
   * The time {@code steps} steps later, or earlier if negative. In a month that lacks the day it is
   * the last day; from a Saturday or Sunday, business days count from the Friday before.
   */
  public LocalDateTime plus(LocalDateTime time, long steps) {
    if (unit.millis > 0) {
      return time.plus(Math.multiplyExact(steps, millis()), ChronoUnit.MILLIS);
    }
    if (unit == Unit.BUSINESS_DAY) {
      return steps == 0 ? time : time.with(plusBusinessDays(time.toLocalDate(), steps * count));
    }
    LocalDateTime moved = time.plusMonths(steps * months());
    return unit == Unit.MONTH_END && steps != 0
        ? moved.withDayOfMonth(moved.toLocalDate().lengthOfMonth())
        : moved;
  }

  private static LocalDate plusBusinessDays(LocalDate date, long days) {
    return fromBusinessDay(businessDay(date) + days);
  }

  /** Business days since Monday 1969-12-29; a weekend counts as the Friday before. */
  public static long businessDay(LocalDate date) {
    long sinceMonday = date.toEpochDay() + 3;
    long week = Math.floorDiv(sinceMonday, 7L);
    return week * 5 + Math.min(4, Math.floorMod(sinceMonday, 7L));
  }

  private static LocalDate fromBusinessDay(long day) {
    return LocalDate.ofEpochDay(Math.floorDiv(day, 5L) * 7 + Math.floorMod(day, 5L) - 3);
  }

  /** Whether a date is a Saturday or a Sunday. */
  public static boolean isWeekend(LocalDate date) {
    return date.getDayOfWeek() == DayOfWeek.SATURDAY || date.getDayOfWeek() == DayOfWeek.SUNDAY;
  }

  /**
   * The usual season, the number of steps after which such a series repeats: a day for minutes and
   * hours, an hour for seconds, a week for days, a year for weeks, months and quarters; 1 if that
   * is not a whole number of steps.
   */
  public int season() {
    if (unit.millis == 0) {
      return unit == Unit.BUSINESS_DAY
          ? whole(5, count)
          : Math.max(1, months() == 0 ? 1 : whole(12, months()));
    }
    if (unit == Unit.WEEK) {
      return whole(52, count);
    }
    if (unit == Unit.DAY) {
      return whole(7, count);
    }
    long hour = Unit.HOUR.millis;
    long day = Unit.DAY.millis;
    if (millis() < Unit.MINUTE.millis && hour % millis() == 0) {
      return Math.toIntExact(hour / millis());
    }
    return day % millis() == 0 ? Math.toIntExact(day / millis()) : whole(7 * day, millis());
  }

  private static int whole(long season, long step) {
    return season % step == 0 ? Math.toIntExact(season / step) : 1;
  }

  /** The word for a number of steps, such as hours; rows if a step is not one unit. */
  public String steps(long number) {
    String name =
        count > 1
            ? "row"
            : switch (unit) {
              case BUSINESS_DAY -> "business day";
              case MONTH_END -> "month";
              default -> unit.name().toLowerCase(Locale.ROOT);
            };
    return number == 1 ? name : name + "s";
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Frequency that && count == that.count && unit == that.unit;
  }

  @Override
  public int hashCode() {
    return Objects.hash(count, unit);
  }

  /** The text form, as {@code 15min}. */
  @Override
  public String toString() {
    return count + unit.symbol;
  }
}
