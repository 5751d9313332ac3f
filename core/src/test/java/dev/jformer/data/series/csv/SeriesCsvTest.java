package dev.jformer.data.series.csv;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.series.Frequency;
import dev.jformer.data.series.Gaps;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
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
      SeriesCsv.Read read, String frequency, LocalDateTime start, float... x) {
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
    holds(read, "1h", JULY, 1.5f, 2.5f);
    assertArrayEquals(new float[] {-2, 1000}, read.series().column(1));
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
    holds(read, "1d", JULY, 1234.5f, 2234.5f);
    assertEquals(List.of("load, in \"MW\"", "two\nlines"), read.series().names());
  }

  @Test
  void understandsDecimalCommas() throws IOException {
    SeriesCsv.Read read =
        read("t;a;b", "01.07.2016;1,5;1.234,5", "02.07.2016;-2,25;17", "03.07.2016;1e-1;0,1");
    holds(read, "1d", JULY, 1.5f, -2.25f, 0.1f);
    assertArrayEquals(new float[] {1234.5f, 17, 0.1f}, read.series().column(1));
    told(read, "decimal comma");
    holds(read("t,a", "2016-07-01,\"1,5\"", "2016-07-02,\"2,5\""), "1d", JULY, 1.5f, 2.5f);
    SeriesCsv.Read guess = read("t;a", "2016-07-01;1,234", "2016-07-02;2,345");
    holds(guess, "1d", JULY, 1.234f, 2.345f);
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
    float[] expected = new float[1_000];
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
        new float[] {5, 5.4f, 5.8f, 6.2f, 6.6f, 7, 9, 9}, linear.series().column(1), 1e-6f);
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
      float[][] values = new float[columns][rows];
      StringBuilder text = new StringBuilder("when");
      for (int c = 0; c < columns; c++) {
        text.append(separator).append("v").append(c);
      }
      for (int i = 0; i < rows; i++) {
        text.append('\n')
            .append(DateTimeFormatter.ofPattern(pattern).format(frequency.plus(start, i)));
        for (int c = 0; c < columns; c++) {
          values[c][i] = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4));
          String number = Float.toString(values[c][i]);
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
}
