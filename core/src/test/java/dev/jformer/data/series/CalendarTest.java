package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import java.time.LocalDateTime;
import java.util.GregorianCalendar;
import java.util.List;
import java.util.TimeZone;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Calendar features, against the JDK's other calendar. */
@ExtendWith(Scoped.class)
class CalendarTest {
  private static final String[] ALL = {"s", "min", "h", "wd", "md", "yd", "w", "mo"};

  @ParameterizedTest
  @CsvSource({
    "1s, s min h wd md yd",
    "15min, min h wd md yd",
    "1h, h wd md yd",
    "1d, wd md yd",
    "1bd, wd md yd",
    "1w, md w",
    "1mo, mo",
    "1me, mo",
    "1q, mo",
    "1y, mo"
  })
  void areThoseOfTheFrequency(String text, String features) {
    Frequency frequency = Frequency.parse(text);
    List<String> expected = List.of(features.split(" "));
    assertEquals(expected.size(), Calendar.features(frequency));
    LocalDateTime start = frequency.plus(LocalDateTime.of(2015, 12, 30, 21, 58, 41), 1);
    Series series = Series.of(List.of("x"), start, frequency, new double[20]);
    int from = -3;
    int to = 400; // long after the series ends
    Tensor found = Calendar.of(series, from, to);
    assertEquals(List.of(403L, (long) expected.size()), List.of(found.size(0), found.size(1)));
    double[] values = new double[403 * expected.size()];
    for (int row = from; row < to; row++) {
      double[] shares = shares(frequency.plus(start, row));
      for (int f = 0; f < expected.size(); f++) {
        int which = List.of(ALL).indexOf(expected.get(f));
        values[(row - from) * expected.size() + f] = shares[which] - 0.5;
      }
    }
    Close.assertClose(values, found, 1e-7);
    assertTrue(found.abs().max().item() <= 0.5);
  }

  private static double[] shares(LocalDateTime time) {
    GregorianCalendar day = new GregorianCalendar(TimeZone.getTimeZone("UTC"));
    day.setFirstDayOfWeek(GregorianCalendar.MONDAY);
    day.setMinimalDaysInFirstWeek(4);
    day.clear();
    day.set(
        time.getYear(),
        time.getMonthValue() - 1,
        time.getDayOfMonth(),
        time.getHour(),
        time.getMinute(),
        time.getSecond());
    return new double[] {
      day.get(GregorianCalendar.SECOND) / 59.0,
      day.get(GregorianCalendar.MINUTE) / 59.0,
      day.get(GregorianCalendar.HOUR_OF_DAY) / 23.0,
      (day.get(GregorianCalendar.DAY_OF_WEEK) + 5) % 7 / 6.0,
      (day.get(GregorianCalendar.DAY_OF_MONTH) - 1) / 30.0,
      (day.get(GregorianCalendar.DAY_OF_YEAR) - 1) / 365.0,
      (day.get(GregorianCalendar.WEEK_OF_YEAR) - 1) / 52.0,
      day.get(GregorianCalendar.MONTH) / 11.0
    };
  }

  @Test
  void knowsTheFirstRowOfEtth1() {
    // 2016-07-01 00:00, a Friday, the 183rd day of a leap year.
    Series series =
        Series.of(
            List.of("x"),
            LocalDateTime.of(2016, 7, 1, 0, 0),
            Frequency.parse("1h"),
            new double[] {0, 0});
    double[] expected = {-0.5, 4 / 6.0 - 0.5, -0.5, 182 / 365.0 - 0.5};
    Close.assertClose(expected, Calendar.of(series, 0, 1), 1e-7);
  }
}
