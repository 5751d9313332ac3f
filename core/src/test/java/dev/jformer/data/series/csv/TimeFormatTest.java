package dev.jformer.data.series.csv;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read and written again is the same text. */
class TimeFormatTest {
  private static final LocalDateTime START = LocalDateTime.of(2020, 1, 1, 1, 0);

  @TempDir Path folder;

  private SeriesCsv.Read read(String header, List<String> times) throws IOException {
    StringBuilder text = new StringBuilder(header + "\n");
    for (int i = 0; i < times.size(); i++) {
      text.append(times.get(i)).append(';').append(i % 7).append('\n');
    }
    Path file = Files.writeString(folder.resolve("data.csv"), text);
    return SeriesCsv.read(file, new CsvOptions().withSeparator(';'));
  }

  private void check(List<String> texts) throws IOException {
    int known = texts.size() - 20;
    SeriesCsv.Read read = read("when;x", texts.subList(0, known));
    assertEquals(List.of("when"), read.times().columns());
    for (int i = 0; i < texts.size(); i++) {
      assertEquals(List.of(texts.get(i)), read.times().texts(read.series().time(i)));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "yyyy-MM-dd HH:mm:ss",
        "yyyy-MM-dd'T'HH:mm",
        "yyyy-MM-dd'T'HH:mm:ss'Z'",
        "yyyy-MM-dd HH:mm:ss'+01:00'",
        "dd.MM.yyyy HH:mm",
        "d.M.yyyy H:mm",
        "MM/dd/yyyy HH:mm",
        "M/d/yyyy h:mm a",
        "dd/MM/yy HH:mm",
        "yyyyMMddHHmm",
        "dd-MMM-yy HH:mm",
        "MM/dd/yyyy kk:mm"
      })
  void hours(String pattern) throws IOException {
    DateTimeFormatter format = DateTimeFormatter.ofPattern(pattern, Locale.US);
    boolean twentyFour = pattern.contains("kk");
    check(
        IntStream.range(0, 24 * 40)
            .mapToObj(START::plusHours)
            .map(time -> twentyFour && time.getHour() == 0 ? time.minusDays(1) : time)
            .map(format::format)
            .toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "yyyy-MM-dd",
        "dd.MM.yyyy",
        "d/M/yyyy",
        "M/d/yyyy",
        "yyyyMMdd",
        "dd-MMM-yy",
        "d MMMM yyyy",
        "MMM d, yyyy",
        "yyyy/MM/dd"
      })
  void days(String pattern) throws IOException {
    DateTimeFormatter format = DateTimeFormatter.ofPattern(pattern, Locale.US);
    check(IntStream.range(0, 400).mapToObj(i -> START.plusDays(i).format(format)).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"yyyy-MM", "MM/yyyy", "MMM-yy", "MMM yyyy", "yyyyMM"})
  void months(String pattern) throws IOException {
    DateTimeFormatter format = DateTimeFormatter.ofPattern(pattern, Locale.US);
    check(IntStream.range(0, 60).mapToObj(i -> START.plusMonths(i).format(format)).toList());
  }

  @Test
  void othersAreWrittenAsTheyWereRead() throws IOException {
    check(IntStream.range(0, 50).mapToObj(i -> "" + (1467331200 + 3600L * i)).toList());
    check(
        IntStream.range(0, 50).mapToObj(i -> "%d-Q%d".formatted(2000 + i / 4, 1 + i % 4)).toList());
    check(IntStream.range(0, 50).mapToObj(i -> "2020-W%02d".formatted(1 + i)).toList());
    check(IntStream.range(0, 50).mapToObj(i -> "" + (1950 + i)).toList());
  }

  @Test
  void datesAndClocksMayStandInTwoColumns() throws IOException {
    List<String> rows =
        IntStream.range(0, 100)
            .mapToObj(i -> "%02d.01.2020;%d:00".formatted(1 + i / 24, i % 24))
            .toList();
    SeriesCsv.Read read = read("Datum;Uhrzeit;x", rows);
    assertEquals(List.of("Datum", "Uhrzeit"), read.times().columns());
    assertEquals(
        List.of("06.02.2020", "9:00"), read.times().texts(LocalDate.of(2020, 2, 6).atTime(9, 0)));
  }

  /** Offsets that change with daylight saving cannot be continued. */
  @Test
  void isoIsWrittenWhereNothingFits() throws IOException {
    List<String> rows =
        List.of(
            "2016-01-31T00:00:00+01:00", "2016-02-29T00:00:00+01:00", "2016-03-31T00:00:00+02:00");
    SeriesCsv.Read read = read("t;x", rows);
    assertEquals(List.of("2016-04-30T00:00"), read.times().texts(read.series().time(3)));
  }
}
