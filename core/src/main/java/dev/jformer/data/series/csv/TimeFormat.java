package dev.jformer.data.series.csv;

import dev.jformer.data.series.Times;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How a file writes times: the names of their columns (one, or one of dates and one of times of
 * day), and formats that give the file's own texts back.
 */
public final class TimeFormat {
  private static final List<Character> DATE_SEPARATORS = List.of('-', '/', '.', ' ');
  private static final List<String> JOINTS = List.of(" ", "'T'", ", ", "  ");
  private static final List<String> CLOCKS =
      List.of(
          "HH:mm",
          "HH:mm:ss",
          "H:mm",
          "H:mm:ss",
          "HH:mm:ss.SSS",
          "HH:mm:ss.SSSSSS",
          "HHmm",
          "HH",
          "hh:mm a",
          "h:mm a",
          "hh:mm:ss a",
          "h:mm:ss a",
          "h a");
  private static final List<String> OTHERS =
      List.of(
          "yyyyMMdd",
          "yyyyMM",
          "yyyy",
          "yyyyMMddHH",
          "yyyyMMddHHmm",
          "yyyyMMddHHmmss",
          "yyyyMMdd'T'HHmm",
          "yyyyMMdd'T'HHmmss",
          "yyyy'Q'Q",
          "yyyy-'Q'Q",
          "'Q'Q yyyy",
          "'Q'Q-yyyy",
          "YYYY-'W'ww",
          "YYYY'W'ww");
  private static final List<String> DATES = dates();

  /** After a time of day. */
  private static final Pattern OFFSET =
      Pattern.compile("(?<=:\\d\\d|\\.\\d{1,9})\\s*(Z|UTC|[+-]\\d\\d:?\\d\\d)$");

  private static final List<UnaryOperator<String>> CASES =
      List.of(
          text -> text,
          text -> text.toUpperCase(Locale.ROOT),
          text -> text.toLowerCase(Locale.ROOT));

  private final List<String> columns;
  private final List<Writer> writers;

  /** Writes times in one way. */
  private interface Writer {
    String text(LocalDateTime time);
  }

  private TimeFormat(List<String> columns, List<Writer> writers) {
    this.columns = columns;
    this.writers = writers;
  }

  /** ISO 8601 as {@link LocalDateTime} writes it, in one column. */
  static TimeFormat iso(String column) {
    return new TimeFormat(List.of(column), List.of(LocalDateTime::toString));
  }

  /**
   * Finds the format in which all these times have these texts.
   *
   * @param columns the names of the columns
   * @param texts those of each column
   * @param times those of the rows
   */
  static Optional<TimeFormat> of(
      List<String> columns, List<List<String>> texts, List<LocalDateTime> times) {
    if (texts.size() != columns.size()) {
      return Optional.empty();
    }
    List<Writer> writers = new ArrayList<>();
    for (List<String> column : texts) {
      Optional<Writer> writer = writer(column.stream().map(String::strip).toList(), times);
      if (writer.isEmpty()) {
        return Optional.empty();
      }
      writers.add(writer.get());
    }
    return Optional.of(new TimeFormat(List.copyOf(columns), List.copyOf(writers)));
  }

  private static Optional<Writer> writer(List<String> texts, List<LocalDateTime> times) {
    Matcher matcher = OFFSET.matcher(texts.get(0));
    String offset = matcher.find() ? matcher.group() : "";
    if (!texts.stream().allMatch(text -> text.endsWith(offset))) {
      return Optional.empty();
    }
    int cut = offset.length();
    List<String> local =
        texts.stream().map(text -> text.substring(0, text.length() - cut)).toList();
    return candidates(local.get(0), times.get(0))
        .flatMap(writer -> CASES.stream().<Writer>map(c -> time -> c.apply(writer.text(time))))
        .filter(writer -> gives(writer, local, times))
        .<Writer>map(writer -> time -> writer.text(time) + offset)
        .findFirst();
  }

  private static boolean gives(Writer writer, List<String> texts, List<LocalDateTime> times) {
    for (int i = 0; i < texts.size(); i++) {
      if (!writer.text(times.get(i)).equals(texts.get(i))) {
        return false;
      }
    }
    return true;
  }

  /** The ways to try; of those that are alike, first the ones with leading zeros. */
  private static Stream<Writer> candidates(String text, LocalDateTime time) {
    Stream<Writer> clocked =
        DATES.stream()
            .filter(date -> begins(text, date, time) || begins(text, date, time.minusDays(1)))
            .flatMap(date -> JOINTS.stream().map(joint -> date + joint))
            .flatMap(date -> CLOCKS.stream().map(clock -> date + clock))
            .flatMap(format -> Stream.of(pattern(format), endsOfDays(format)));
    Stream<Writer> others =
        Stream.of(DATES, CLOCKS, OTHERS).flatMap(List::stream).map(TimeFormat::pattern);
    return Stream.of(others, clocked, sinceEpoch()).flatMap(writers -> writers);
  }

  private static boolean begins(String text, String date, LocalDateTime time) {
    String begin = pattern(date).text(time);
    return text.regionMatches(true, 0, begin, 0, begin.length());
  }

  private static Stream<Writer> sinceEpoch() {
    return Stream.of(
        time -> Long.toString(time.toEpochSecond(ZoneOffset.UTC)),
        time -> Long.toString(Math.floorDiv(Times.micros(time), 1_000)),
        time -> Long.toString(Times.micros(time)),
        time -> Times.micros(time) + "000",
        time -> time.toEpochSecond(ZoneOffset.UTC) + ".0");
  }

  private static List<String> dates() {
    List<String> dates = new ArrayList<>();
    for (String month : new String[] {"MM", "M", "MMM", "MMMM"}) {
      for (char separator : DATE_SEPARATORS) {
        for (String year : new String[] {"yyyy", "yy"}) {
          for (String day : new String[] {"dd", "d"}) {
            dates.add(joined(separator, year, month, day));
            dates.add(joined(separator, day, month, year));
            dates.add(joined(separator, month, day, year));
          }
          dates.add(joined(separator, year, month));
          dates.add(joined(separator, month, year));
        }
      }
      dates.add(month + " dd, yyyy");
      dates.add(month + " d, yyyy");
    }
    return List.copyOf(dates);
  }

  private static String joined(char separator, String... parts) {
    return String.join(String.valueOf(separator), parts);
  }

  private static Writer pattern(String pattern) {
    Locale weeks = Locale.UK; // those of ISO 8601
    DateTimeFormatter format =
        DateTimeFormatter.ofPattern(pattern, pattern.contains("'W'") ? weeks : Locale.US);
    return format::format;
  }

  /** Writes 24:00 of the day before instead of 0:00. */
  private static Writer endsOfDays(String pattern) {
    DateTimeFormatter format = DateTimeFormatter.ofPattern(pattern.replace('H', 'k'), Locale.US);
    return time ->
        format.format(time.getHour() == 0 && time.getMinute() == 0 ? time.minusDays(1) : time);
  }

  /** The names of the columns: one, or one of dates and one of times of day. */
  public List<String> columns() {
    return columns;
  }

  /** The texts of a time, one for each column. */
  public List<String> texts(LocalDateTime time) {
    return writers.stream().map(writer -> writer.text(time)).toList();
  }
}
