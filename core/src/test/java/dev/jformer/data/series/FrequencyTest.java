package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.series.csv.Regularity;
import dev.jformer.testing.Scoped;
import java.time.DayOfWeek;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Frequencies: their text, their steps, and finding them in times with gaps. */
class FrequencyTest {
  private static final LocalDateTime MONDAY = LocalDateTime.of(2016, 7, 4, 0, 0);

  @ParameterizedTest
  @CsvSource({
    "1s, 1s, 3600",
    "10s, 10s, 360",
    "1min, 1min, 1440",
    "15min, 15min, 96",
    "60min, 1h, 24",
    "hourly, 1h, 24",
    "h, 1h, 24",
    "3h, 3h, 8",
    "7h, 7h, 24",
    "24h, 1d, 7",
    "daily, 1d, 7",
    "1bd, 1bd, 5",
    "7d, 1w, 52",
    "weekly, 1w, 52",
    "1mo, 1mo, 12",
    "1me, 1me, 12",
    "3mo, 1q, 4",
    "quarterly, 1q, 4",
    "12mo, 1y, 1",
    "yearly, 1y, 1",
    "5h, 5h, 1",
    "250ms, 250ms, 14400",
    "2147483647s, 2147483647s, 1"
  })
  void hasOneTextAndASeason(String text, String normal, int season) {
    Frequency frequency = Frequency.parse(text);
    assertEquals(normal, frequency.toString());
    assertEquals(frequency, Frequency.parse(normal));
    assertEquals(season, frequency.season());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "1", "0h", "-1h", "1x", "1.5h", "2147483648s", "99999999999s", "999999999y"})
  void refusesOtherText(String text) {
    String message = assertThrows(DataException.class, () -> Frequency.parse(text)).getMessage();
    assertTrue(message.contains("'" + text + "'"), message);
  }

  @Test
  void businessDaysAreCountedDayByDay() {
    Random random = new Random(Scoped.seed());
    Frequency daily = Frequency.parse("1bd");
    for (int i = 0; i < 300; i++) {
      LocalDate day = LocalDate.ofEpochDay(random.nextInt(40_000) - 20_000);
      int steps = random.nextInt(40) - 20;
      LocalDate start = day;
      while (isWeekend(start)) {
        start = start.minusDays(1);
      }
      LocalDate expected = start;
      for (int left = Math.abs(steps); left > 0; ) {
        expected = expected.plusDays(Integer.signum(steps));
        left -= isWeekend(expected) ? 0 : 1;
      }
      if (steps != 0) {
        assertEquals(
            expected, daily.plus(day.atStartOfDay(), steps).toLocalDate(), day + " + " + steps);
      }
    }
  }

  private static boolean isWeekend(LocalDate day) {
    return day.getDayOfWeek() == DayOfWeek.SATURDAY || day.getDayOfWeek() == DayOfWeek.SUNDAY;
  }

  @Test
  void monthsKeepTheirDayOrTheirEnd() {
    LocalDateTime january = LocalDateTime.of(2019, 1, 31, 12, 0);
    assertEquals(LocalDate.of(2019, 2, 28), Frequency.parse("1mo").plus(january, 1).toLocalDate());
    assertEquals(LocalDate.of(2019, 3, 31), Frequency.parse("1mo").plus(january, 2).toLocalDate());
    LocalDateTime february = LocalDateTime.of(2019, 2, 28, 12, 0);
    assertEquals(LocalDate.of(2019, 3, 31), Frequency.parse("1me").plus(february, 1).toLocalDate());
    assertEquals(LocalDate.of(2019, 3, 28), Frequency.parse("1mo").plus(february, 1).toLocalDate());
    assertEquals(
        LocalDate.of(2020, 2, 29), Frequency.parse("1me").plus(february, 12).toLocalDate());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "250ms", "1s", "10s", "1min", "15min", "1h", "6h", "1d", "1bd", "2d", "1w", "2w", "1mo",
        "1me", "2mo", "1q", "1y", "5y"
      })
  void isFoundInTimesOfWhichSomeAreMissing(String text) {
    Frequency frequency = Frequency.parse(text);
    Random random = new Random(Scoped.seed());
    for (int trial = 0; trial < 20; trial++) {
      LocalDateTime start = frequency.plus(MONDAY.plusHours(trial % 2 * 6L), random.nextInt(50));
      if (text.equals("1me")) { // whatever the day, from here on it is the last
        start = frequency.plus(start, 1);
      }
      List<LocalDateTime> times = new ArrayList<>();
      List<Long> steps = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        if (i < 9 || random.nextInt(5) > 0) { // a run at the beginning shows the step
          times.add(frequency.plus(start, i));
          steps.add((long) i);
        }
      }
      assertEquals(frequency, Frequency.infer(times.toArray(LocalDateTime[]::new)), "" + times);
      long[] instants = times.stream().mapToLong(Times::micros).toArray();
      Regularity found = Regularity.of(instants, instants.length);
      assertEquals(steps, java.util.Arrays.stream(found.steps()).boxed().toList());
    }
  }

  @Test
  void namesTheTimeThatDoesNotFit() {
    LocalDateTime[] odd = {
      MONDAY, MONDAY.plusHours(1), MONDAY.plusHours(2), MONDAY.plusMinutes(150), MONDAY.plusHours(4)
    };
    String message = assertThrows(DataException.class, () -> Frequency.infer(odd)).getMessage();
    assertTrue(message.contains("2016-07-04 02:30"), message);
    assertTrue(message.contains("30min after 2016-07-04 02:00"), message);
    LocalDateTime[] falling = {MONDAY, MONDAY.plusHours(1), MONDAY};
    message = assertThrows(DataException.class, () -> Frequency.infer(falling)).getMessage();
    assertTrue(message.contains("2016-07-04 is not later than 2016-07-04 01:00"), message);
    assertThrows(DataException.class, () -> Frequency.infer(MONDAY));
    LocalDateTime[] sparse = {MONDAY, MONDAY.plusSeconds(1), MONDAY.plusDays(1)};
    message = assertThrows(DataException.class, () -> Frequency.infer(sparse)).getMessage();
    assertTrue(
        message.contains("there are 3 rows of the 86401 that a frequency of 1s needs"), message);
  }
}
