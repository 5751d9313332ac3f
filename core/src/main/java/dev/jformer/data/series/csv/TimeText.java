package dev.jformer.data.series.csv;

import dev.jformer.data.series.Times;
import java.time.LocalDateTime;
import java.time.YearMonth;

/**
 * Reads times as people and programs write them, without creating objects: {@link #read} stores the
 * time in this reader.
 *
 * <p>Accepted are, with {@code -}, {@code /}, {@code .} or a blank between their parts: year, month
 * and day; day, month and year in either order of the former two; names of months in English, after
 * which a year may have two digits; a time of day after any of these, with seconds, fractions, am
 * and pm, and an offset from UTC; months, ISO weeks, quarters and years alone; digits without
 * separators, and seconds, milliseconds, microseconds or nanoseconds since 1970.
 */
final class TimeText {
  /**
   * The kind of a time. A column's times are of one kind, except that dates with and without a time
   * of day may be mixed.
   */
  enum Kind {
    DATE("dates"),
    DATE_TIME("dates with a clock"),
    CLOCK("clocks"),
    MONTH("months"),
    SHORT_MONTH("months as Jan-20"),
    QUARTER("quarters"),
    WEEK("weeks"),
    YEAR("years"),
    COMPACT_MONTH("months as 201607"),
    COMPACT_DATE("dates as 20160701"),
    COMPACT_TIME("times as 201607010400"),
    SECONDS("seconds since 1970"),
    MILLIS("milliseconds since 1970"),
    MICROS("microseconds since 1970"),
    NANOS("nanoseconds since 1970");

    private final String plural;

    Kind(String plural) {
      this.plural = plural;
    }

    String plural() {
      return plural;
    }

    /** Whether such a text could also be a number. */
    boolean isNumber() {
      return compareTo(YEAR) >= 0;
    }

    /** Whether it counts from 1970. */
    boolean isSince() {
      return compareTo(SECONDS) >= 0;
    }

    private boolean isDate() {
      return this == DATE || this == DATE_TIME;
    }

    boolean fits(Kind other) {
      return this == other || (isDate() && other.isDate());
    }
  }

  /** Which of the two numbers before a year is the day. */
  enum Order {
    /** The order is clear from the format. */
    GIVEN,
    /** Both numbers are 12 or less: read as if the day came first. */
    OPEN,
    DAY_FIRST,
    MONTH_FIRST
  }

  /** No offset from UTC is written. */
  static final int NO_OFFSET = Integer.MIN_VALUE;

  private static final long DAY = 86_400 * Times.MICROS;
  private static final String MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";
  private static final String[] MONTH_NAMES = {
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december"
  };
  private static final String WEEKDAYS = "montuewedthufrisatsun";

  private char[] text = {};
  private int at;
  private int end;

  private int digits;
  private int day;
  private int month;
  private int year;
  private long clock;

  private Kind kind = Kind.DATE;
  private Order order = Order.GIVEN;
  private int offset = NO_OFFSET;
  private long micros;

  /** Reads a text and returns whether it is a time. Blanks around it are ignored. */
  boolean read(String text) {
    return read(text.toCharArray(), 0, text.length());
  }

  /** Like {@link #read(String)}, for {@code length} characters from {@code from} on. */
  boolean read(char[] text, int from, int length) {
    this.text = text;
    at = from;
    end = from + length;
    while (at < end && isBlank(text[at])) {
      at++;
    }
    while (at < end && isBlank(text[end - 1])) {
      end--;
    }
    day = 1;
    month = 1;
    clock = 0;
    offset = NO_OFFSET;
    order = Order.GIVEN;
    if (at == end) {
      return false;
    }
    if (isLetter(text[at])) {
      return skipWeekday() && (isLetter(text[at]) ? named() : dated());
    }
    return plain() || dated();
  }

  Kind kind() {
    return kind;
  }

  Order order() {
    return order;
  }

  /** Minutes to add to UTC to get the time, or {@link #NO_OFFSET}. */
  int offset() {
    return offset;
  }

  /** The time as written, with the day first if the order is open. */
  long micros() {
    return micros;
  }

  /** Whether the time is 24:00, so that {@link #micros()} is of the day after the one written. */
  boolean endsDay() {
    return clock == DAY;
  }

  /** The time with day and month exchanged, which are 12 or less on the day that is written. */
  static long exchanged(long micros, boolean endsDay) {
    return endsDay ? exchanged(micros - DAY) + DAY : exchanged(micros);
  }

  private static long exchanged(long micros) {
    LocalDateTime time = Times.of(micros);
    int day = time.getDayOfMonth();
    int month = time.getMonthValue();
    return Times.micros(time.withDayOfMonth(1).withMonth(day).withDayOfMonth(month));
  }

  /** Reads a time of only digits, perhaps with a fraction. */
  private boolean plain() {
    int point = at;
    while (point < end && isDigit(text[point])) {
      point++;
    }
    int length = point - at;
    if (point < end) {
      if (text[point] != '.' || length < 9) {
        return false;
      }
      for (int i = point + 1; i < end; i++) {
        if (!isDigit(text[i])) {
          return false;
        }
      }
    }
    long number = 0;
    for (int i = at; i < Math.min(point, at + 18); i++) {
      number = number * 10 + text[i] - '0';
    }
    if (point < end) {
      return since(length, number, point + 1);
    }
    return switch (length) {
      case 4 -> compact(Kind.YEAR, (int) number, 1, 1, 0);
      case 6 -> compact(Kind.COMPACT_MONTH, (int) (number / 100), (int) (number % 100), 1, 0);
      case 8 -> compactDate(Kind.COMPACT_DATE, number, 0);
      case 10 ->
          compactDate(Kind.COMPACT_TIME, number / 100, number % 100 * 10_000)
              || since(length, number, end);
      case 12 ->
          compactDate(Kind.COMPACT_TIME, number / 10_000, number % 10_000 * 100)
              || since(length, number, end);
      case 14 -> compactDate(Kind.COMPACT_TIME, number / 1_000_000, number % 1_000_000);
      default -> since(length, number, end);
    };
  }

  private boolean compactDate(Kind kind, long date, long time) {
    int hour = (int) (time / 10_000);
    int minute = (int) (time / 100 % 100);
    int second = (int) (time % 100);
    return hour < 24
        && minute < 60
        && second < 60
        && compact(
            kind,
            (int) (date / 10_000),
            (int) (date / 100 % 100),
            (int) (date % 100),
            (hour * 3600L + minute * 60L + second) * Times.MICROS);
  }

  private boolean compact(Kind kind, int year, int month, int day, long clock) {
    this.year = year;
    this.month = month;
    this.day = day;
    this.clock = clock;
    return year >= 1600 && year < 2300 && finish(kind);
  }

  private boolean since(int length, long number, int fraction) {
    switch (length) {
      case 9, 10 -> {
        kind = Kind.SECONDS;
        micros = number * Times.MICROS;
        long unit = Times.MICROS / 10;
        for (int i = fraction; i < end && unit > 0; i++, unit /= 10) {
          micros += (text[i] - '0') * unit;
        }
      }
      case 12, 13 -> {
        kind = Kind.MILLIS;
        micros = number * 1_000;
      }
      case 15, 16 -> {
        kind = Kind.MICROS;
        micros = number;
      }
      case 18 -> {
        kind = Kind.NANOS;
        micros = number / 1_000;
      }
      case 19 -> { // of which 18 digits were read
        kind = Kind.NANOS;
        micros = number / 100;
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Reads a date that begins with a number. */
  private boolean dated() {
    if (end - at > 9 && !isDigit(text[at + 8]) && eightDigits()) { // 20160701T0400
      return rest();
    }
    int first = number(4);
    int firstDigits = digits;
    if (first < 0 || at == end) {
      return false;
    }
    char separator = text[at];
    if (separator == ':') {
      at -= firstDigits;
      month = 1;
      year = 1970;
      return clock() && at == end && finish(Kind.CLOCK);
    }
    if (firstDigits == 4) {
      year = first;
      return fromYear(separator);
    }
    if (firstDigits > 2 || !isSeparator(separator)) {
      return false;
    }
    skip(separator);
    if (at < end && isLetter(text[at])) { // 1 Jan 2020
      day = first;
      month = monthName();
      skipAnySeparator();
      return month > 0 && yearAfterName() && rest();
    }
    int second = number(4);
    if (digits == 4) { // 01/2020
      month = first;
      year = second;
      return separator != '.' && at == end && finish(Kind.MONTH); // 12.2020 is a number
    }
    if (second < 0 || digits > 2 || at == end || text[at] != separator) {
      return false;
    }
    skip(separator);
    return fullYear(separator) && ordered(first, second, separator) && rest();
  }

  private boolean eightDigits() {
    int from = at;
    year = number(4);
    boolean four = digits == 4;
    month = number(2);
    boolean six = four && digits == 2;
    day = number(2);
    if (six && digits == 2) {
      return true;
    }
    at = from;
    day = 1;
    return false;
  }

  private boolean ordered(int first, int second, char separator) {
    if (first > 12 && second > 12) {
      return false;
    }
    boolean dayFirst = second <= 12;
    day = dayFirst ? first : second;
    month = dayFirst ? second : first;
    if (separator == '.') {
      return dayFirst; // dates with points always have the day first
    }
    order = first > 12 ? Order.DAY_FIRST : second > 12 ? Order.MONTH_FIRST : Order.OPEN;
    return true;
  }

  /** Reads what follows the four digits of a year. */
  private boolean fromYear(char separator) {
    if (isSeparator(separator)) {
      skip(separator);
    }
    if (at == end) {
      return false;
    }
    char next = Character.toLowerCase(text[at]);
    if (next == 'q' || next == 'w' || (next == 'm' && at + 1 < end && isDigit(text[at + 1]))) {
      at++;
      int part = number(2);
      return part > 0 && at == end && partOfYear(next, part);
    }
    if (isLetter(text[at])) { // 2020-Jan
      month = monthName();
    } else if (isSeparator(separator)) {
      month = number(2);
    } else {
      return false;
    }
    if (month < 1) {
      return false;
    }
    if (at == end) {
      return separator != '.' && finish(Kind.MONTH); // 2020.12 is a number
    }
    if (text[at] != separator) {
      return false;
    }
    skip(separator);
    day = number(2);
    return day > 0 && rest();
  }

  private boolean partOfYear(char letter, int part) {
    if (letter == 'q') {
      month = part * 3 - 2;
      return part <= 4 && finish(Kind.QUARTER);
    }
    if (letter == 'm') {
      month = part;
      return finish(Kind.MONTH);
    }
    if (part > 53 || year < 1 || year > 9998) {
      return false;
    }
    // The first week has the year's fourth of January; its Monday comes on or before that.
    long fourth = epochDay(year, 1, 4);
    long monday = fourth - Math.floorMod(fourth + 3, 7L) + (part - 1) * 7L;
    micros = monday * DAY;
    kind = Kind.WEEK;
    // Week 53 is there only if its Thursday is still in the year.
    return part < 53 || monday + 3 < epochDay(year + 1, 1, 1);
  }

  /** Reads a date that begins with a month's name or a quarter. */
  private boolean named() {
    if ((text[at] == 'Q' || text[at] == 'q') && at + 1 < end && isDigit(text[at + 1])) {
      at++;
      int quarter = number(1);
      skipAnySeparator();
      month = quarter * 3 - 2;
      year = number(4);
      return quarter >= 1 && quarter <= 4 && digits == 4 && at == end && finish(Kind.QUARTER);
    }
    month = monthName();
    if (month < 1) {
      return false;
    }
    skipAnySeparator();
    int number = number(4);
    if (digits == 4) {
      year = number;
      return at == end && finish(Kind.MONTH);
    }
    if (digits == 2 && at == end) { // Jan-20
      year = century(number);
      return finish(Kind.SHORT_MONTH);
    }
    day = number;
    if (at < end && text[at] == ',') {
      at++;
    }
    skipAnySeparator();
    return number > 0 && fullYear('-') && rest();
  }

  private boolean fullYear(char separator) {
    return (separator == '/' || separator == '.') ? yearAfterName() : fourDigits();
  }

  /** Reads a year of four digits, or of two, which are clear after a month's name. */
  private boolean yearAfterName() {
    year = number(4);
    if (digits == 2) {
      year = century(year);
      return true;
    }
    return digits == 4;
  }

  private boolean fourDigits() {
    year = number(4);
    return digits == 4;
  }

  private static int century(int year) {
    return year + (year < 70 ? 2000 : 1900);
  }

  /** Reads an optional time of day. */
  private boolean rest() {
    if (at == end) {
      return finish(Kind.DATE);
    }
    char next = text[at];
    if (next != 'T' && next != 't' && next != ':' && next != ',' && !isBlank(next)) {
      return false;
    }
    at++;
    skipBlanks();
    return clock() && zone() && at == end && finish(Kind.DATE_TIME);
  }

  /** Reads hours, minutes and seconds, with or without {@code :} between them. */
  private boolean clock() {
    int hour = number(4);
    int hourDigits = digits;
    int minute = 0;
    int second = 0;
    long fraction = 0;
    if (hour < 0 || hourDigits == 3) {
      return false;
    }
    if (hourDigits == 4) {
      minute = hour % 100;
      hour /= 100;
    } else if (at < end && text[at] == ':') {
      at++;
      minute = number(2);
      if (digits != 2) {
        return false;
      }
      if (at < end && text[at] == ':') {
        at++;
        second = number(2);
        if (digits != 2) {
          return false;
        }
        fraction = fraction();
      }
    }
    int half = half();
    if (half >= 0) {
      if (hour < 1 || hour > 12) {
        return false;
      }
      hour = hour % 12 + half;
    }
    clock = (hour * 3600L + minute * 60L + second) * Times.MICROS + fraction;
    return minute < 60 && second < 60 && fraction >= 0 && clock <= DAY;
  }

  /** Microseconds after a point or comma; 0 without, -1 if there are no digits. */
  private long fraction() {
    if (at == end || (text[at] != '.' && text[at] != ',')) {
      return 0;
    }
    at++;
    int from = at;
    long micros = 0;
    long unit = Times.MICROS / 10;
    while (at < end && isDigit(text[at])) {
      micros += (text[at++] - '0') * unit;
      unit /= 10;
    }
    return at > from ? micros : -1;
  }

  /** 0 for am, 12 for pm, -1 for neither. */
  private int half() {
    int from = at;
    skipBlanks();
    if (at + 1 < end && (text[at + 1] == 'M' || text[at + 1] == 'm')) {
      char letter = Character.toLowerCase(text[at]);
      if (letter == 'a' || letter == 'p') {
        at += 2;
        return letter == 'a' ? 0 : 12;
      }
    }
    at = from;
    return -1;
  }

  private boolean zone() {
    skipBlanks();
    if (at == end) {
      return true;
    }
    if (text[at] == 'Z' || text[at] == 'z') {
      at++;
      offset = 0;
    } else if (matches("utc") || matches("gmt")) {
      at += 3;
      offset = 0;
    }
    if (at < end && (text[at] == '+' || text[at] == '-')) {
      int sign = text[at++] == '+' ? 1 : -1;
      int hours = number(4);
      int minutes = 0;
      if (digits == 4) {
        minutes = hours % 100;
        hours /= 100;
      } else if (at < end && text[at] == ':') {
        at++;
        minutes = number(2);
      }
      if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59) {
        return false;
      }
      offset = sign * (hours * 60 + minutes);
    }
    if (offset != NO_OFFSET && at < end && text[at] == '[' && text[end - 1] == ']') {
      at = end; // the zone's name: the offset is enough
    }
    return true;
  }

  private boolean finish(Kind kind) {
    this.kind = kind;
    if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) {
      return false;
    }
    if (day > 28 && day > YearMonth.of(year, month).lengthOfMonth()) {
      return false;
    }
    micros = epochDay(year, month, day) * DAY + clock;
    return true;
  }

  /** Days since 1970 in the calendar of today: years of 365.2425 days that begin in March. */
  private static long epochDay(int year, int month, int day) {
    long y = month > 2 ? year : year - 1L;
    long ofYear = (153L * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return y * 365
        + Math.floorDiv(y, 4L)
        - Math.floorDiv(y, 100L)
        + Math.floorDiv(y, 400L)
        + ofYear
        - 719_468;
  }

  /** Reads a number of at most {@code most} digits; -1 if there are none. */
  private int number(int most) {
    int from = at;
    int number = 0;
    while (at < end && at - from < most && isDigit(text[at])) {
      number = number * 10 + text[at++] - '0';
    }
    digits = at - from;
    return digits == 0 ? -1 : number;
  }

  /** Reads a month's name or its first three letters; 0 if there is none. */
  private int monthName() {
    for (int m = 1; m <= 12; m++) {
      if (matches(MONTH_NAMES[m - 1])) {
        at += MONTH_NAMES[m - 1].length();
        return m;
      }
    }
    for (int m = 1; m <= 12; m++) {
      if (matches(MONTHS.substring(m * 3 - 3, m * 3))) {
        at += matches("sept") ? 4 : 3;
        return at < end && isLetter(text[at]) ? 0 : m;
      }
    }
    return 0;
  }

  /** Skips a weekday before a date. */
  private boolean skipWeekday() {
    for (int i = 0; i < WEEKDAYS.length(); i += 3) {
      if (matches(WEEKDAYS.substring(i, i + 3))) {
        while (at < end && isLetter(text[at])) {
          at++;
        }
        if (at < end && text[at] == ',') {
          at++;
        }
        skipBlanks();
        return at < end;
      }
    }
    return true;
  }

  private boolean matches(String lower) {
    if (end - at < lower.length()) {
      return false;
    }
    for (int i = 0; i < lower.length(); i++) {
      if (Character.toLowerCase(text[at + i]) != lower.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private void skip(char separator) {
    at++;
    if (separator == '.' || isBlank(separator)) { // 1. 7. 2016
      skipBlanks();
    }
  }

  private void skipAnySeparator() {
    if (at < end && isSeparator(text[at])) {
      at++;
    }
    skipBlanks();
  }

  private void skipBlanks() {
    while (at < end && isBlank(text[at])) {
      at++;
    }
  }

  private static boolean isSeparator(char c) {
    return c == '-' || c == '/' || c == '.' || isBlank(c);
  }

  static boolean isBlank(char c) {
    return c == ' ' || c == '\t' || c == '\u00a0' || c == '\u202f';
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static boolean isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  }
}
