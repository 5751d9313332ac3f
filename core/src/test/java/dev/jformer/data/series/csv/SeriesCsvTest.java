package dev.jformer.data.series.csv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.series.Frequency;
import dev.jformer.data.series.Gaps;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Standardizer;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files as people have them: each way of writing one is a small file here. */
class SeriesCsvTest {
  private static final LocalDateTime JULY = LocalDateTime.of(2016, 7, 1, 0, 0);

  @TempDir Path folder;

  private SeriesCsv.Read read(CsvOptions options, String text, Charset charset) throws IOException {
    return SeriesCsv.read(Files.writeString(folder.resolve("data.csv"), text, charset), options);
  }

  private SeriesCsv.Read read(CsvOptions options, String... lines) throws IOException {
    return read(options, String.join("\n", lines) + "\n", StandardCharsets.UTF_8);
  }

  private SeriesCsv.Read read(String... lines) throws IOException {
    return read(new CsvOptions(), lines);
  }

  private String failure(CsvOptions options, String... lines) {
    String message = assertThrows(DataException.class, () -> read(options, lines)).getMessage();
    assertTrue(message.contains("data.csv"), message);
    return message;
  }

  private void fails(String part, String... lines) {
    String message = failure(new CsvOptions(), lines);
    assertTrue(message.contains(part), message);
  }

  private static void told(SeriesCsv.Read read, String remark) {
    assertTrue(
        read.remarks().stream().anyMatch(r -> r.contains(remark)),
        () -> "'" + remark + "' in " + read.remarks());
  }

  private static void holds(
      SeriesCsv.Read read, String frequency, LocalDateTime start, double... x) {
    assertEquals(frequency, read.series().frequency().toString(), "" + read.remarks());
    assertEquals(start, read.series().time(0));
    assertArrayEquals(x, read.series().column(0));
  }

  // ---- Fields

  @Test
  void readsAPlainFile() throws IOException {
    SeriesCsv.Read read =
        read("date,load,price", "2016-07-01 00:00:00,1.5,-2", "2016-07-01 01:00:00,2.5,1e3");
    assertEquals(List.of("load", "price"), read.series().names());
    holds(read, "1h", JULY, 1.5, 2.5);
    assertArrayEquals(new double[] {-2, 1000}, read.series().column(1));
    assertEquals(1, read.remarks().size(), "" + read.remarks());
    told(read, "2 rows every 1h from 2016-07-01 to 2016-07-01 01:00, columns [load, price]");
  }

  @ParameterizedTest
  @ValueSource(strings = {",", ";", "\t", "|"})
  void findsTheSeparatorAndTheHeader(String separator) throws IOException {
    String header = "t,a,b\n";
    String rows = "2016-07-01,1,2\n2016-07-02,3,4\n2016-07-03,5,6\n";
    holds(
        read(new CsvOptions(), (header + rows).replace(",", separator), StandardCharsets.UTF_8),
        "1d",
        JULY,
        1,
        3,
        5);
    SeriesCsv.Read bare =
        read(new CsvOptions(), rows.replace(",", separator), StandardCharsets.UTF_8);
    holds(bare, "1d", JULY, 1, 3, 5);
    assertEquals(List.of("column 2", "column 3"), bare.series().names());
    told(bare, "no header");
  }

  @Test
  void understandsEveryLineEndAndByteOrderMark() throws IOException {
    String text = "t,Größe\n2016-07-01,1\n2016-07-02,2\n";
    for (String end : List.of("\n", "\r\n", "\r")) {
      for (String mark : List.of("", "\ufeff")) {
        SeriesCsv.Read read =
            read(new CsvOptions(), mark + text.replace("\n", end), StandardCharsets.UTF_8);
        holds(read, "1d", JULY, 1, 2);
        assertEquals(List.of("Größe"), read.series().names());
      }
    }
    for (Charset charset : List.of(StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE)) {
      assertEquals(
          List.of("Größe"), read(new CsvOptions(), "\ufeff" + text, charset).series().names());
    }
    SeriesCsv.Read latin = read(new CsvOptions(), text, Charset.forName("windows-1252"));
    assertEquals(List.of("Größe"), latin.series().names());
    told(latin, "Windows-1252");
  }

  @Test
  void understandsQuotes() throws IOException {
    SeriesCsv.Read read =
        read(
            "\"t\",\"load, in \"\"MW\"\"\",\"two\nlines\"",
            "\"2016-07-01\",\"1,234.5\",\"1\"",
            "\"2016-07-02\", \"2,234.5\" ,2");
    holds(read, "1d", JULY, 1234.5, 2234.5);
    assertEquals(List.of("load, in \"MW\"", "two\nlines"), read.series().names());
  }

  @Test
  void understandsDecimalCommas() throws IOException {
    SeriesCsv.Read read =
        read("t;a;b", "01.07.2016;1,5;1.234,5", "02.07.2016;-2,25;17", "03.07.2016;1e-1;0,1");
    holds(read, "1d", JULY, 1.5, -2.25, 0.1);
    assertArrayEquals(new double[] {1234.5, 17, 0.1}, read.series().column(1));
    told(read, "decimal comma");
    holds(read("t,a", "2016-07-01,\"1,5\"", "2016-07-02,\"2,5\""), "1d", JULY, 1.5, 2.5);
    SeriesCsv.Read guess = read("t;a", "2016-07-01;1,234", "2016-07-02;2,345");
    holds(guess, "1d", JULY, 1.234, 2.345);
    told(guess, "1,234 is read as a decimal sign");
    CsvOptions thousands = new CsvOptions(null, null, null, null, null, false);
    holds(read(thousands, "t;a", "2016-07-01;1,234", "2016-07-02;2,345"), "1d", JULY, 1234, 2345);
  }

  @Test
  void skipsBlankRowsAndEmptyFieldsAtTheEnd() throws IOException {
    holds(
        read("", "t,a,b", "", "2016-07-01,1,2,", " ", "2016-07-02,2,3,,", ",,", ""),
        "1d",
        JULY,
        1,
        2);
  }

  @Test
  void leavesOutTextAndIndexColumnsAndSaysSo() throws IOException {
    SeriesCsv.Read read =
        read(
            ",place,t,a,none",
            "0,Berlin,2016-07-01,5,",
            "1,Berlin,2016-07-02,6,NA",
            "2,Bern,2016-07-03,7,");
    assertEquals(List.of("a"), read.series().names());
    told(read, "'place' is left out: it holds text such as 'Berlin'");
    told(read, "'none' is left out: it holds no value at all");
    told(read, "counts the rows");
  }

  @Test
  void textThatComesLateInAnUnknownColumnIsLeftOut() throws IOException {
    List<String> lines = new ArrayList<>(List.of("t,a,note"));
    for (int i = 0; i < 4_000; i++) {
      lines.add(JULY.plusHours(i) + "," + i + (i == 3_500 ? ",repaired" : ","));
    }
    SeriesCsv.Read read = read(lines.toArray(String[]::new));
    assertEquals(List.of("a"), read.series().names());
    told(read, "'note' is left out: it holds text such as 'repaired'");
  }

  @Test
  void readsTheColumnsThatAreAskedFor() throws IOException {
    String[] lines = {"a,when,b,c", "1,2016-07-01,3,x", "2,2016-07-02,4,y"};
    SeriesCsv.Read read =
        read(new CsvOptions().withTime("when").withColumns(List.of("b", "a")), lines);
    assertEquals(List.of("b", "a"), read.series().names());
    holds(read, "1d", JULY, 3, 4);
    String message = failure(new CsvOptions().withColumns(List.of("bb")), lines);
    assertTrue(message.contains("no column 'bb'") && message.contains("did you mean 'b'"), message);
    message = failure(new CsvOptions().withColumns(List.of("c")), lines);
    assertTrue(message.contains("line 2, column 'c': 'x' is not a number"), message);
    message = failure(new CsvOptions().withTime("whem"), lines);
    assertTrue(message.contains("did you mean 'when'"), message);
    message = failure(new CsvOptions().withTime("c"), lines);
    assertTrue(message.contains("line 2, column 'c': 'x' is not a time"), message);
    message = failure(new CsvOptions().withColumns(List.of("when")), lines);
    assertTrue(message.contains("'when' holds the times"), message);
    message = failure(new CsvOptions().withColumns(List.of()), lines);
    assertTrue(message.contains("name one or more"), message);
  }

  // ---- Times

  @ParameterizedTest
  @ValueSource(
      strings = {
        "uuuu-MM-dd HH:mm:ss",
        "uuuu-MM-dd'T'HH:mm",
        "uuuu-MM-dd'T'HH:mm:ss'Z'",
        "dd.MM.uuuu HH:mm",
        "dd/MM/uuuu HH:mm",
        "M/d/uuuu h:mm a",
        "MM-dd-uuuu HH:mm",
        "d MMM uuuu HH:mm",
        "uuuuMMddHHmm"
      })
  void readsTimesInEveryForm(String pattern) throws IOException {
    List<String> lines = new ArrayList<>(List.of("a;t"));
    double[] expected = new double[1_000];
    for (int i = 0; i < expected.length; i++) {
      lines.add(
          i + ";" + DateTimeFormatter.ofPattern(pattern, Locale.US).format(JULY.plusHours(i)));
      expected[i] = i;
    }
    holds(read(lines.toArray(String[]::new)), "1h", JULY, expected);
  }

  @Test
  void readsCoarseTimes() throws IOException {
    LocalDateTime january = LocalDateTime.of(2016, 1, 1, 0, 0);
    holds(read("t,a", "2016-01,1", "2016-02,2", "2016-03,3"), "1mo", january, 1, 2, 3);
    holds(read("t,a", "2016-Q1,1", "2016-Q2,2", "2016-Q3,3"), "1q", january, 1, 2, 3);
    holds(read("t,a", "2016,1", "2017,2", "2018,3"), "1y", january, 1, 2, 3);
    holds(
        read("t,a", "2016-01-31,1", "2016-02-29,2", "2016-03-31,3"),
        "1me",
        january.plusDays(30),
        1,
        2,
        3);
    holds(
        read("t,a", "2016-W01,1", "2016-W02,2", "2016-W03,3"), "1w", january.plusDays(3), 1, 2, 3);
    holds(
        read("t,a", "2016-07-07,1", "2016-07-08,2", "2016-07-11,3", "2016-07-12,4"),
        "1bd",
        JULY.plusDays(6),
        1,
        2,
        3,
        4);
  }

  @Test
  void readsWhatCountsFrom1970() throws IOException {
    SeriesCsv.Read read = read("a,t", "5,1467331200", "6,1467334800", "7,1467338400");
    holds(read, "1h", JULY, 5, 6, 7);
    told(read, "seconds since 1970, in UTC");
    holds(read("t,a", "1467331200000,5", "1467331200250,6"), "250ms", JULY, 5, 6);
    holds(
        read("t,a", "1467331200.5,5", "1467331201.0,6"),
        "500ms",
        JULY.plusNanos(500_000_000),
        5,
        6);
  }

  @Test
  void joinsADateAndAClock() throws IOException {
    SeriesCsv.Read read =
        read(
            "Date;Time;a",
            "16/12/2006;17:24:00;1",
            "16/12/2006;17:25:00;?",
            "16/12/2006;17:26:00;3");
    holds(read, "1min", LocalDateTime.of(2006, 12, 16, 17, 24), 1, 2, 3);
    holds(
        read("Time,Date,a", "17:24,2006-12-16,1", "17:25,2006-12-16,2"),
        "1min",
        LocalDateTime.of(2006, 12, 16, 17, 24),
        1,
        2);
  }

  @Test
  void theWholeColumnTellsTheDayFromTheMonth() throws IOException {
    SeriesCsv.Read day =
        read(
            "t,a",
            "01/02/2016,1",
            "01/03/2016,2",
            "01/04/2016,3",
            "01/05/2016,4",
            "01/06/2016,5",
            "01/07/2016,6",
            "01/08/2016,7",
            "01/09/2016,8",
            "01/10/2016,9",
            "01/11/2016,10",
            "01/12/2016,11",
            "01/01/2017,12");
    holds(day, "1mo", LocalDateTime.of(2016, 2, 1, 0, 0), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    told(day, "have the day first: so the rows are regular");
    SeriesCsv.Read month = read("t,a", "7/11/2016,1", "7/12/2016,2", "7/13/2016,3");
    holds(month, "1d", JULY.plusDays(10), 1, 2, 3);
    told(month, "have the month first: '7/13/2016' of line 4");
    fails(
        "the day comes first in '13/07/2016' of line 2 and the month in '07/14/2016' of line 3",
        "t,a",
        "13/07/2016,1",
        "07/14/2016,2");
    fails("may begin with the day or with the month", "t,a", "01/02/2016,1", "02/02/2016,2");
  }

  @Test
  void offsetsThatChangeWithTheSeasonAreSettled() throws IOException {
    SeriesCsv.Read hours =
        read(
            "t,a",
            "2016-10-30T01:00+02:00,1",
            "2016-10-30T02:00+02:00,2",
            "2016-10-30T02:00+01:00,3",
            "2016-10-30T03:00+01:00,4");
    holds(hours, "1h", LocalDateTime.of(2016, 10, 30, 1, 0), 1, 2, 3, 4);
    told(hours, "converted to the first offset, +02:00");
    SeriesCsv.Read days =
        read(
            "t,a",
            "2016-10-29T00:00+02:00,1",
            "2016-10-30T00:00+02:00,2",
            "2016-10-31T00:00+01:00,3",
            "2016-11-01T00:00+01:00,4");
    holds(days, "1d", LocalDateTime.of(2016, 10, 29, 0, 0), 1, 2, 3, 4);
    told(days, "local times are used");
    fails("some times have an offset", "t,a", "2016-07-01T00:00Z,1", "2016-07-01T01:00,2");
  }

  @Test
  void hoursThatComeTwiceOrNotAtAllWhereClocksAreSet() throws IOException {
    SeriesCsv.Read autumn =
        read(
            "t,a",
            "2016-10-30 01:00,1",
            "2016-10-30 01:30,2",
            "2016-10-30 02:00,3",
            "2016-10-30 02:30,4",
            "2016-10-30 02:00,5",
            "2016-10-30 02:30,8",
            "2016-10-30 03:00,9");
    holds(autumn, "30min", LocalDateTime.of(2016, 10, 30, 1, 0), 1, 2, 4, 6, 9);
    told(autumn, "2 times occur twice where clocks are set back, the first 2016-10-30 02:00");
    SeriesCsv.Read spring =
        read("t,a", "2016-03-27 00:00,1", "2016-03-27 01:00,2", "2016-03-27 03:00,4");
    holds(spring, "1h", LocalDateTime.of(2016, 3, 27, 0, 0), 1, 2, 3, 4);
    fails(
        "lines 3 and 4: both have the time 2016-07-01 01:00 and they differ",
        "t,a",
        "2016-07-01 00:00,1",
        "2016-07-01 01:00,2",
        "2016-07-01 01:00,3");
  }

  // ---- Order and gaps

  @Test
  void ordersRows() throws IOException {
    SeriesCsv.Read back = read("t,a", "2016-07-03,3", "2016-07-02,2", "2016-07-01,1");
    holds(back, "1d", JULY, 1, 2, 3);
    told(back, "order was reversed");
    SeriesCsv.Read mixed =
        read("t,a", "2016-07-01,1", "2016-07-03,3", "2016-07-02,2", "2016-07-04,4");
    holds(mixed, "1d", JULY, 1, 2, 3, 4);
    told(mixed, "out of order, the first in line 4");
    SeriesCsv.Read twice =
        read("t,a", "2016-07-01,1", "2016-07-02,2", "2016-07-02,2", "2016-07-03,3");
    holds(twice, "1d", JULY, 1, 2, 3);
    told(twice, "1 rows repeat another row");
  }

  @Test
  void fillsGapsAsAsked() throws IOException {
    String[] lines = {
      "t,a,b",
      "2016-07-01 03:00,,5",
      "2016-07-01 04:00,10,",
      "2016-07-01 08:00,18,7",
      "2016-07-01 09:00,null,9",
      "2016-07-01 10:00,-,9"
    };
    SeriesCsv.Read linear = read(lines);
    holds(linear, "1h", JULY.plusHours(3), 10, 10, 12, 14, 16, 18, 18, 18);
    assertArrayEquals(
        new double[] {5, 5.4, 5.8, 6.2, 6.6, 7, 9, 9}, linear.series().column(1), 1e-12);
    told(linear, "3 missing hours after 2016-07-01 04:00 filled linearly");
    told(
        linear,
        "column 'a': 3 missing values filled linearly, the first in line 2 (2016-07-01 03:00)");
    told(linear, "column 'b': 1 missing value filled linearly, the first in line 3");
    holds(
        read(new CsvOptions().withGaps(Gaps.PREVIOUS), lines),
        "1h",
        JULY.plusHours(3),
        10,
        10,
        10,
        10,
        10,
        18,
        18,
        18);
    holds(
        read(new CsvOptions().withGaps(Gaps.ZERO), lines),
        "1h",
        JULY.plusHours(3),
        0,
        10,
        0,
        0,
        0,
        18,
        0,
        0);
    String message = failure(new CsvOptions().withGaps(Gaps.ERROR), lines);
    assertTrue(message.contains("line 2, column 'a': the value of 2016-07-01 03:00"), message);
    message = failure(new CsvOptions().withGaps(Gaps.ERROR).withColumns(List.of("b")), lines);
    assertTrue(message.contains("line 3, column 'b'"), message);
    message =
        failure(
            new CsvOptions().withGaps(Gaps.ERROR),
            "t,a",
            "2016-07-01,1",
            "2016-07-02,2",
            "2016-07-04,3");
    assertTrue(message.contains("line 4: 1 missing day after 2016-07-02"), message);
  }

  @Test
  void manyGapsAreSummedUp() throws IOException {
    List<String> lines = new ArrayList<>(List.of("t,a"));
    for (int i = 0; i < 200; i++) {
      if (i % 20 != 19) {
        lines.add(JULY.plusHours(i) + "," + i);
      }
    }
    SeriesCsv.Read read = read(lines.toArray(String[]::new));
    assertEquals(199, read.series().rows());
    for (int i = 0; i < 199; i++) {
      assertEquals(i, read.series().value(i, 0)); // a line stays a line
    }
    assertEquals(5, read.remarks().stream().filter(r -> r.contains("missing hour after")).count());
    told(read, "4 more gaps of 4 hours in all filled linearly");
  }

  // ---- Errors

  @Test
  void errorsNameLineColumnAndValue() {
    fails(
        "line 4, column 'b': 'twelve' is not a number",
        "t,a,b",
        "2016-07-01,1,2",
        "2016-07-02,1,3",
        "2016-07-03,2,twelve");
    fails(
        "line 3, column 'a': '1e40' is not a finite number",
        "t,a",
        "2016-07-01,1",
        "2016-07-02,1e40",
        "2016-07-03,2");
    fails(
        "line 3, column 't': 'soon' is not a time",
        "t,a",
        "2016-07-01,1",
        "soon,2",
        "2016-07-03,3");
    fails("line 3, column 't': the time is missing", "t,a", "2016-07-01,1", ",2", "2016-07-03,3");
    fails(
        "line 3, column 't': '2016-07' is not written as the dates before",
        "t,a",
        "2016-07-01,1",
        "2016-07,2",
        "2016-07-03,3");
    fails(
        "line 3: 2 fields, expected the 3 columns [t, a, b]",
        "t,a,b",
        "2016-07-01,1,2",
        "2016-07-02,1",
        "2016-07-03,1,2");
    fails(
        "line 3: 4 fields, expected the 3",
        "t,a,b",
        "2016-07-01,1,2",
        "2016-07-02,1,5,6",
        "2016-07-03,1,2");
    fails(
        "line 4: 2016-07-02 12:00 comes 12h after 2016-07-02, where rows are usually 1d apart",
        "t,a",
        "2016-07-01,1",
        "2016-07-02,1",
        "2016-07-02 12:00,2",
        "2016-07-03 12:00,2",
        "2016-07-04 12:00,2");
    fails("both named 'a'", "t,a,a", "2016-07-01,1,2", "2016-07-02,1,2");
    fails("no column of times: line 2 is [1, 2]", "a,b", "1,2", "1,2");
    fails("no column of numbers", "t,a", "2016-07-01,x", "2016-07-02,y");
    fails("has 1 row: expected two or more", "t,a", "2016-07-01,1");
    fails("is empty", "", "  ");
    fails("is one field", "2016-07-01", "2016-07-02");
    fails("cannot be split", "t,a", "2016-07-01,\"1", "2016-07-02,2");
    String message =
        failure(
            new CsvOptions().withColumns(List.of("b")), "t,a,b", "2016-07-01,1,", "2016-07-02,2,");
    assertTrue(message.contains("column 'b' holds no value at all"), message);
    message = failure(new CsvOptions(null, null, null, null, '"', null), "t,a", "2016-07-01,1");
    assertTrue(message.contains("cannot separate fields"), message);
  }

  @Test
  void refusesWhatIsNoTextFile() throws IOException {
    Path file = Files.write(folder.resolve("data.csv"), new byte[] {'P', 'K', 3, 4, 0, 0});
    String message =
        assertThrows(DataException.class, () -> SeriesCsv.read(file, new CsvOptions()))
            .getMessage();
    assertTrue(message.contains("byte 4 is zero"), message);
    assertThrows(DataException.class, () -> SeriesCsv.read(folder, new CsvOptions()));
    assertThrows(
        NoSuchFileException.class,
        () -> SeriesCsv.read(folder.resolve("none.csv"), new CsvOptions()));
  }

  @Test
  void constantColumnsAreNamed() throws IOException {
    SeriesCsv.Read read = read("t,a,b", "2016-07-01,1,7", "2016-07-02,2,7", "2016-07-03,3,7");
    told(read, "column 'b' holds one value only, 7.0");
    assertEquals(List.of("b"), read.series().constant());
  }

  @Test
  void whatIsWrittenIsReadBack() throws IOException {
    Random random = new Random(Scoped.seed());
    LocalDateTime start = JULY.plusDays(11).plusHours(20); // the 13th tells the day from the month
    for (int trial = 0; trial < 60; trial++) {
      int rows = 30 + random.nextInt(100);
      int columns = 1 + random.nextInt(5);
      char separator = ",;\t|".charAt(random.nextInt(4));
      boolean comma = separator != ',' && random.nextBoolean();
      String pattern =
          List.of("uuuu-MM-dd HH:mm", "dd.MM.uuuu HH:mm:ss", "MM/dd/uuuu HH:mm").get(trial % 3);
      Frequency frequency = Frequency.parse(List.of("10min", "1h", "1d", "1mo").get(trial % 4));
      double[][] values = new double[columns][rows];
      StringBuilder text = new StringBuilder("when");
      for (int c = 0; c < columns; c++) {
        text.append(separator).append("v").append(c);
      }
      for (int i = 0; i < rows; i++) {
        text.append('\n')
            .append(DateTimeFormatter.ofPattern(pattern).format(frequency.plus(start, i)));
        for (int c = 0; c < columns; c++) {
          values[c][i] = random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4);
          String number = Double.toString(values[c][i]);
          text.append(separator).append(comma ? number.replace('.', ',') : number);
        }
      }
      SeriesCsv.Read read = read(new CsvOptions(), text.toString(), StandardCharsets.UTF_8);
      assertEquals(frequency, read.series().frequency(), "" + read.remarks());
      assertEquals(start, read.series().time(0));
      assertEquals(columns, read.series().columns(), "trial " + trial + " " + read.remarks());
      for (int c = 0; c < columns; c++) {
        assertArrayEquals(values[c], read.series().column(c), "trial " + trial);
      }
    }
  }

  /** Whole numbers with points between thousands, as in German accounts. */
  @Test
  void pointsMaySeparateThousands() throws IOException {
    StringBuilder text = new StringBuilder("Zeit;Menge\n");
    double[] expected = new double[60];
    for (int i = 0; i < 60; i++) {
      expected[i] = 900 + 10 * i;
      String value = i < 10 ? "" + (900 + 10 * i) : "1.%03d".formatted(10 * i - 100);
      text.append("%s;%s%n".formatted(LocalDate.of(2020, 1, 1).plusDays(i), value));
    }
    SeriesCsv.Read german = read(text.toString());
    assertArrayEquals(expected, german.series().column(0));
    assertTrue(german.remarks().toString().contains("the point in 1.000 separates thousands"));
    SeriesCsv.Read english = read(text.toString().replace('.', ','));
    assertArrayEquals(expected, english.series().column(0));
    // The first thousand comes long after the beginning that is looked at.
    StringBuilder late = new StringBuilder("Zeit;Menge\n");
    for (int i = 0; i < 5000; i++) {
      String value = i < 4000 ? "" + i / 5 : "%d.%03d".formatted(1 + i / 4500, i % 1000);
      late.append("%s;%s%n".formatted(LocalDate.of(2000, 1, 1).plusDays(i), value));
    }
    SeriesCsv.Read counter = read(late.toString());
    assertEquals(799, counter.series().value(3999, 0));
    assertEquals(1000, counter.series().value(4000, 0));
    assertTrue(counter.remarks().toString().contains("the point separates thousands"));
    String decimals = "t;x\n2020-01-01;0.125\n2020-01-02;1\n2020-01-03;1.250\n";
    assertArrayEquals(new double[] {0.125, 1, 1.25}, read(decimals).series().column(0));
    String thousandths = "t;x\n2020-01-01;1.125\n2020-01-02;1.130\n2020-01-03;1.250\n";
    assertArrayEquals(new double[] {1.125, 1.13, 1.25}, read(thousandths).series().column(0));
  }

  /** 24:00 is 0:00 of the next day, also where the month comes first. */
  @Test
  void hoursMayRunToTwentyFour() throws IOException {
    for (String pattern : List.of("MM/dd/yyyy", "dd/MM/yyyy", "yyyy-MM-dd")) {
      StringBuilder text = new StringBuilder("Date,Load\n");
      for (int i = 0; i < 20 * 24; i++) {
        LocalDate day = LocalDate.of(2020, 1, 1).plusDays(i / 24);
        String date = day.format(DateTimeFormatter.ofPattern(pattern));
        text.append("%s %02d:00,%d%n".formatted(date, i % 24 + 1, 1000 + i));
      }
      Series series = read(text.toString()).series();
      assertEquals(480, series.rows(), pattern);
      assertEquals(LocalDateTime.of(2020, 1, 1, 1, 0), series.time(0));
      assertEquals(LocalDateTime.of(2020, 1, 21, 0, 0), series.time(479));
      assertEquals(1479, series.value(479, 0));
    }
    // The order of day and month is open here: only 1 to 12 occur, and 12 turns to 13 at 24:00.
    StringBuilder open = new StringBuilder("Date,Load\n");
    for (int i = 0; i < 12 * 24; i++) {
      open.append("01/%02d/2020 %02d:00,%d%n".formatted(i / 24 + 1, i % 24 + 1, i));
    }
    assertEquals(288, read(open.toString()).series().rows());
  }

  /** A meter near 1.5e9 that swings by ten, which 3.4e38 cannot tell apart. */
  @Test
  void valuesKeepTheDigitsOfDoubles() throws IOException {
    StringBuilder text = new StringBuilder("time,meter\n");
    for (int i = 0; i < 48; i++) {
      double value = 1.5e9 + 10 * Math.sin(i * Math.PI / 12);
      text.append("2021-01-%02d %02d:00,%.2f%n".formatted(1 + i / 24, i % 24, value));
    }
    SeriesCsv.Read read = read(text.toString());
    assertEquals(List.of(), read.series().constant());
    assertEquals(1500000002.59, read.series().value(1, 0));
    Standardizer scale = Standardizer.of(read.series());
    assertEquals(10 / Math.sqrt(2), scale.deviation()[0], 0.01);
    float[] standard = scale.apply(read.series()).toFloats();
    assertEquals(Math.sqrt(2), standard[6], 0.01);
    assertEquals(-Math.sqrt(2), standard[18], 0.01);
  }

  @Test
  void spreadsheetsMayNameTheSeparator() throws IOException {
    for (String first : List.of("sep=;", "\"sep=;\"", "SEP=;")) {
      SeriesCsv.Read read =
          read(
              first
                  + "\r\nDatum;Wert\r\n01.01.2020;100.5\r\n02.01.2020;7,25\r\n".replace(',', '.'));
      assertEquals(List.of("Wert"), read.series().names());
      assertArrayEquals(new double[] {100.5, 7.25}, read.series().column(0));
      assertTrue(read.remarks().contains("line 1 is no row: it is left out"), first);
    }
    assertTrue(
        failure(new CsvOptions(), "sep=;\nd;x\n2020-01-01;1\nno;2\n2020-01-03;3\n")
            .contains("line 4"));
  }

  @Test
  void commentsAreLeftOut() throws IOException {
    String station =
        """
        # Weather station, "Omsk"; ID=28698
        #
        "Local time";"T";"Po"
        "04.05.2021 09:00";"9.0";"759.0";
        # the sensor was changed
        "04.05.2021 06:00";"7.5";"758.5";
        "04.05.2021 03:00";"6.0";"758.0";
        """;
    SeriesCsv.Read read = read(station);
    assertEquals(List.of("T", "Po"), read.series().names());
    assertArrayEquals(new double[] {6, 7.5, 9}, read.series().column(0));
    assertTrue(read.remarks().contains("lines 1 to 2 are no rows: they are left out"));
    SeriesCsv.Read named = read("# a file\n#time,x\n2020-01-01,1\n2020-01-02,2\n");
    assertEquals(List.of("x"), named.series().names());
    assertArrayEquals(new double[] {1, 2}, named.series().column(0));
    SeriesCsv.Read numbered =
        read("id,time,x\n#1,2020-01-01,1\n#2,2020-01-02,2\n#3,2020-01-03,4\n");
    assertArrayEquals(new double[] {1, 2, 4}, numbered.series().column(0));
  }

  @Test
  void monthsOfSpreadsheets() throws IOException {
    Series days = read("Date,Close\n30-Jan-20,1\n31-Jan-20,2\n01-Feb-20,3\n").series();
    assertEquals(LocalDateTime.of(2020, 1, 30, 0, 0), days.time(0));
    assertEquals(3, days.rows());
    Series old = read("Date,Close\n30-Dec-99,1\n31-Dec-99,2\n1-Jan-00,3\n").series();
    assertEquals(LocalDateTime.of(1999, 12, 30, 0, 0), old.time(0));
    SeriesCsv.Read months = read("Month,x\nNov-15,1\nDec-15,2\nJan-16,3\nFeb-16,4\n");
    assertEquals(LocalDateTime.of(2015, 11, 1, 0, 0), months.series().time(0));
    assertEquals("1mo", months.series().frequency().toString());
    assertTrue(months.remarks().contains("column 'Month' is read as months as Jan-20"));
    String message = failure(new CsvOptions(), "Day,x\nJan-30,1\nJan-31,2\nFeb-01,3\n");
    assertTrue(message.contains("line 3") && message.contains("2020-01-20"), message);
  }
}
