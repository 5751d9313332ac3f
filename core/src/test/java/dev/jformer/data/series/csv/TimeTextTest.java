package dev.jformer.data.series.csv;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.series.Times;
import dev.jformer.testing.Scoped;
import java.time.DateTimeException;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Times as they are written, against the JDK's own formatting. */
class TimeTextTest {
  private final TimeText text = new TimeText();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "uuuu-MM-dd HH:mm:ss",
        "uuuu-MM-dd'T'HH:mm:ss",
        "uuuu-MM-dd'T'HH:mm:ss.SSS",
        "uuuu-MM-dd HH:mm:ss,SSSSSS",
        "uuuu-MM-dd HH:mm:ss.SSSSSSSSS",
        "uuuu-MM-dd'T'HH:mm:ss'Z'",
        "uuuu-M-d H:mm",
        "uuuu/MM/dd HH:mm",
        "uuuu/M/d  HH:mm:ss",
        "uuuu.MM.dd HH:mm",
        "dd.MM.uuuu HH:mm",
        "d.M.uu HH:mm:ss",
        "d. MMM uuuu HH:mm",
        "d. M. uuuu HH:mm",
        "dd-MMM-uuuu HH:mm",
        "dd/MMM/uuuu:HH:mm:ss",
        "d MMMM uuuu HH:mm",
        "MMM d, uuuu HH:mm",
        "MMMM dd uuuu hh:mm a",
        "EEE, d MMM uuuu HH:mm:ss",
        "EEEE d MMMM uuuu h:mm:ss a",
        "uuuu-MMM-dd HH:mm",
        "uuuu-MM-dd h:mm a",
        "uuuu-MM-dd",
        "dd.MM.uuuu",
        "uuuuMMdd",
        "uuuuMMddHH",
        "uuuuMMddHHmm",
        "uuuuMMddHHmmss",
        "uuuuMMdd'T'HHmm",
        "uuuuMMdd HH:mm",
        "uuuu-MM-dd HH",
        "uuuu-MM",
        "MMM uuuu",
        "MMM-uuuu",
        "MM/uuuu",
        "uuuuMM",
        "uuuu-'Q'q",
        "uuuu'Q'q",
        "'Q'q uuuu",
        "YYYY-'W'ww",
        "uuuu"
      })
  void readsWhatTheJdkWrites(String pattern) {
    DateTimeFormatter format = DateTimeFormatter.ofPattern(pattern, Locale.UK);
    Random random = new Random(Scoped.seed());
    for (int i = 0; i < 500; i++) {
      // Two-digit years mean 1970 to 2069.
      long second = (long) (random.nextDouble() * 99 * 365.25 * 86_400);
      LocalDateTime time =
          LocalDateTime.ofEpochSecond(second, random.nextInt(1_000_000_000), ZoneOffset.UTC);
      String written = format.format(time);
      assertTrue(text.read(written), written);
      assertEquals(TimeText.Order.GIVEN, text.order(), written);
      assertEquals(cut(time, pattern), Times.of(text.micros()), written + " of " + time);
    }
  }

  /** What is left of a time when it is written so. */
  private static LocalDateTime cut(LocalDateTime time, String pattern) {
    if (pattern.contains("ww")) {
      return time.truncatedTo(ChronoUnit.DAYS).minusDays(time.getDayOfWeek().getValue() - 1L);
    }
    if (pattern.contains("q")) {
      return time.truncatedTo(ChronoUnit.DAYS)
          .withDayOfMonth(1)
          .withMonth((time.getMonthValue() - 1) / 3 * 3 + 1);
    }
    LocalDateTime cut = time.truncatedTo(ChronoUnit.SECONDS);
    if (pattern.contains("SSSSSS")) {
      cut = time.truncatedTo(ChronoUnit.MICROS);
    } else if (pattern.contains("S")) {
      cut = time.truncatedTo(ChronoUnit.MILLIS);
    } else if (!pattern.contains("s")) {
      cut = time.truncatedTo(ChronoUnit.MINUTES);
    }
    cut = pattern.contains("m") ? cut : cut.truncatedTo(ChronoUnit.HOURS);
    cut = pattern.toLowerCase(Locale.ROOT).contains("h") ? cut : cut.truncatedTo(ChronoUnit.DAYS);
    cut = pattern.contains("d") ? cut : cut.withDayOfMonth(1);
    return pattern.contains("M") ? cut : cut.withMonth(1);
  }

  @Test
  void tellsWhetherTheDayOrTheMonthComesFirst() {
    Random random = new Random(Scoped.seed());
    for (int i = 0; i < 2_000; i++) {
      LocalDateTime time = LocalDateTime.of(2000, 1, 1, 0, 0).plusDays(random.nextInt(8_000));
      boolean dayFirst = random.nextBoolean();
      String separator = random.nextBoolean() ? "/" : "-";
      String pattern = dayFirst ? "d" + separator + "M" : "M" + separator + "d";
      String written = DateTimeFormatter.ofPattern(pattern + separator + "uuuu").format(time);
      assertTrue(text.read(written), written);
      boolean open = time.getDayOfMonth() <= 12;
      TimeText.Order expected =
          open
              ? TimeText.Order.OPEN
              : dayFirst ? TimeText.Order.DAY_FIRST : TimeText.Order.MONTH_FIRST;
      assertEquals(expected, text.order(), written);
      long found =
          open && !dayFirst ? TimeText.exchanged(text.micros(), text.endsDay()) : text.micros();
      assertEquals(time, Times.of(found), written);
    }
  }

  @Test
  void readsOffsets() {
    for (String zone :
        List.of("+02:00", "+0200", "+02", " +02:00", "+02:00[Europe/Berlin]", " UTC+2:00")) {
      assertTrue(text.read("2016-07-01T04:00:00" + zone), zone);
      assertEquals(120, text.offset(), zone);
      assertEquals(LocalDateTime.of(2016, 7, 1, 4, 0), Times.of(text.micros()), zone);
    }
    assertTrue(text.read("2016-07-01 04:00 UTC"));
    assertEquals(0, text.offset());
    assertTrue(text.read("2016-07-01 04:00-03:30"));
    assertEquals(-210, text.offset());
    assertTrue(text.read("2016-07-01 04:00"));
    assertEquals(TimeText.NO_OFFSET, text.offset());
  }

  @ParameterizedTest
  @CsvSource({
    "1467345600, SECONDS",
    "1467345600.0, SECONDS",
    "1467345600000, MILLIS",
    "1467345600000000, MICROS",
    "1467345600000000000, NANOS"
  })
  void readsWhatCountsFrom1970(String written, TimeText.Kind kind) {
    assertTrue(text.read(written));
    assertEquals(kind, text.kind());
    assertEquals(LocalDateTime.of(2016, 7, 1, 4, 0), Times.of(text.micros()));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "x",
        "1",
        "12",
        "12345",
        "3.14",
        "2016.07",
        "07.2016",
        "1467345600.x",
        "-2016-07-01",
        "2016-13-01",
        "2016-02-30",
        "2015-02-29",
        "2016-00-10",
        "2016-07-00",
        "30/30/2016",
        "29.02.2015",
        "2016-07-01 25:00",
        "2016-07-01 12:60",
        "2016-07-01 12:00:60",
        "2016-07-01 13:00 pm",
        "2016-07-01x",
        "2016-07-01 12:00 CET",
        "2016-07/01",
        "2016-07-01 04:00+99:00",
        "Juli 2016",
        "2016Q5",
        "2016-Q0",
        "2016-W54",
        "2015-W00",
        "2014-W53",
        "Q5 2016",
        "20161301",
        "201613",
        "2016-07-01 04:",
        "2016-07-01 04:00:00.",
        "1,5",
        "NaN",
        "Mon",
        "Mon,"
      })
  void refusesWhatIsNoTime(String written) {
    assertFalse(text.read(written), () -> written + " as " + Times.of(text.micros()));
  }

  @Test
  void neverFailsOtherwise() {
    Random random = new Random(Scoped.seed());
    String letters = "0123456789999-/.: TZQWamp+[],JanMonDec";
    for (int i = 0; i < 200_000; i++) {
      StringBuilder any = new StringBuilder();
      int length = 1 + random.nextInt(24);
      for (int k = 0; k < length; k++) {
        any.append(letters.charAt(random.nextInt(letters.length())));
      }
      try {
        if (text.read(any.toString())) {
          LocalDateTime time = Times.of(text.micros());
          assertTrue(time.getYear() >= 0 && time.getYear() <= 10_000, any + " as " + time);
        }
      } catch (DateTimeException | IndexOutOfBoundsException e) {
        throw new AssertionError("'" + any + "', seed " + Scoped.seed(), e);
      }
    }
  }
}
