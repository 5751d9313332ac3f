package dev.jformer.studies.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.junit.jupiter.api.Test;

class DateTicksTest {
  private static List<String> labels(String from, String to) {
    DateTicks ticks = DateTicks.between(seconds(from), seconds(to));
    return ticks.ticks().stream().map(ticks::label).toList();
  }

  private static double seconds(String time) {
    return LocalDateTime.parse(time).toEpochSecond(ZoneOffset.UTC);
  }

  @Test
  void ticksAreRoundTimes() {
    assertEquals(
        List.of("05-31 18:00", "05-31 21:00", "06-01 00:00"),
        labels("2020-05-31T17:00", "2020-06-01T11:00").subList(0, 3));
    assertEquals(
        List.of("2020-02-28", "2020-02-29", "2020-03-01"),
        labels("2020-02-27T01:00", "2020-03-01T23:00"));
    assertEquals(
        List.of("2019-11", "2020-01", "2020-03", "2020-05"),
        labels("2019-09-10T00:00", "2020-05-01T00:00"));
    assertEquals(List.of("1900", "1950", "2000"), labels("1870-01-01T00:00", "2020-05-01T00:00"));
    assertEquals(
        List.of("10:00:00", "10:00:05"), labels("2020-01-01T09:59:56", "2020-01-01T10:00:09"));
  }

  @Test
  void thereAreSomeButNotMany() {
    for (double range = 2; range < 1e12; range *= 1.3) {
      int count = DateTicks.between(1e6, 1e6 + range).ticks().size();
      assertTrue(count >= 1 && count <= 7, range + ": " + count);
    }
  }

  /** As many digits as tell neighbours apart. */
  @Test
  void labelsOfLargeNumbersDiffer() {
    List<Double> ticks = List.of(1.49999999e9, 1.5e9, 1.50000001e9);
    assertEquals("1499999990", Axis.label(ticks.get(0), ticks));
    assertEquals("1500000010", Axis.label(ticks.get(2), ticks));
    assertEquals("10k", Axis.label(1e4, List.of(1e4, 2e4)));
  }
}
