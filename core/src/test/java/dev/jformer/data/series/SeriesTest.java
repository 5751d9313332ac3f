package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Series, their parts, their scaling and their split. */
@ExtendWith(Scoped.class)
class SeriesTest {
  private static final LocalDateTime START = LocalDateTime.of(2016, 7, 1, 4, 0);
  private static final Frequency HOURLY = Frequency.parse("1h");

  private static Series random(int rows, String... names) {
    Random random = new Random(Scoped.seed());
    double[][] columns = new double[names.length][rows];
    for (int c = 0; c < names.length; c++) {
      for (int i = 0; i < rows; i++) {
        columns[c][i] = (float) (random.nextGaussian() * (c + 1) + 10 * c);
      }
    }
    return Series.of(List.of(names), START, HOURLY, columns);
  }

  @Test
  void partsShareTimesAndValues() {
    Series whole = random(50, "a", "b", "c");
    Series part = whole.slice(10, 40).select(List.of("c", "a")).slice(5, 20);
    assertEquals(15, part.rows());
    assertEquals(2, part.columns());
    assertEquals(List.of("c", "a"), part.names());
    assertEquals(START.plusHours(15), part.time(0));
    assertEquals(START.plusHours(15 + 99), part.time(99));
    Tensor values = part.values();
    assertEquals(15, values.size(0));
    for (int row = 0; row < 15; row++) {
      assertEquals(whole.value(row + 15, 2), part.value(row, 0));
      assertEquals(whole.value(row + 15, 0), part.value(row, 1));
      assertEquals(part.value(row, 1), values.select(0, row).select(0, 1).item());
    }
    assertEquals(part.value(3, 0), part.column(0)[3]);
  }

  @Test
  void errorsNameWhatIsMissing() {
    Series series = random(5, "load", "price");
    String message =
        assertThrows(DataException.class, () -> series.select(List.of("laod", "load")))
            .getMessage();
    assertTrue(message.contains("'laod'"), message);
    assertTrue(message.contains("did you mean 'load'"), message);
    assertThrows(DataException.class, () -> series.slice(2, 6));
    assertThrows(DataException.class, () -> series.select(List.of("load", "load")));
    assertThrows(IndexOutOfBoundsException.class, () -> series.value(5, 0));
    assertThrows(IndexOutOfBoundsException.class, () -> series.slice(1, 3).value(2, 0));
    assertThrows(
        DataException.class,
        () -> Series.of(List.of("a", "b"), START, HOURLY, new double[2], new double[3]));
  }

  @Test
  void standardizerHasMeanAndDeviationOfThePart() {
    Series series = random(1000, "a", "b", "c");
    Series training = series.slice(0, 700);
    Standardizer standardizer = Standardizer.of(training);
    for (int c = 0; c < 3; c++) {
      double mean = 0;
      double square = 0;
      for (int i = 0; i < 700; i++) {
        mean += series.value(i, c) / 700.0;
        square += series.value(i, c) * series.value(i, c) / 700;
      }
      assertEquals(mean, standardizer.mean()[c], 1e-9);
      assertEquals(Math.sqrt(square - mean * mean), standardizer.deviation()[c], 1e-9);
    }
    Tensor scaled = standardizer.apply(training.values());
    Close.assertClose(new double[3], scaled.mean(0, false), 1e-6);
    Close.assertClose(
        series.values(), standardizer.revert(standardizer.apply(series.values())), 1e-5);
    Tensor batch = series.slice(0, 12).values().reshape(3, 4, 3);
    assertEquals(batch.shape(), standardizer.apply(batch).shape());
    Standardizer copy =
        new Standardizer(standardizer.names(), standardizer.mean(), standardizer.deviation());
    assertEquals(standardizer, copy);
    assertEquals(standardizer.hashCode(), copy.hashCode());
    assertThrows(DataException.class, () -> standardizer.apply(Tensor.zeros(4, 2)));
  }

  @Test
  void constantColumnsAreKeptAndNamed() {
    double[] same = new double[9];
    java.util.Arrays.fill(same, 0.1); // whose float64 mean is not exactly itself
    Series series =
        Series.of(
            List.of("x", "same"), START, HOURLY, new double[] {1, 2, 3, 4, 5, 6, 7, 8, 9}, same);
    assertEquals(List.of("same"), series.constant());
    Standardizer standardizer = Standardizer.of(series);
    assertEquals(1, standardizer.deviation()[1]);
    Close.assertClose(new double[9], standardizer.apply(series.values()).select(1, 1), 1e-7);
    assertThrows(DataException.class, () -> Standardizer.of(series.slice(3, 3)));
    assertThrows(
        DataException.class,
        () -> new Standardizer(List.of("x"), new double[] {0}, new double[] {0}));
  }

  @Test
  void splitsBySharesAndRows() {
    assertEquals(new Split(70, 10, 20), Split.shares(100, 0.7, 0.1, 0.2));
    assertEquals(new Split(12194, 1742, 3484), Split.shares(17420, 0.7, 0.1, 0.2));
    assertEquals(new Split(50, 10, 10), Split.shares(100, 0.5, 0.1, 0.1));
    assertEquals(new Split(100, 0, 0), Split.shares(100, 1, 0, 0));
    assertThrows(DataException.class, () -> Split.shares(100, 0.7, 0.3, 0.2));
    assertThrows(DataException.class, () -> Split.shares(100, 0, 0.3, 0.2));
    Split ett = Split.ETT_HOURLY.check(17420, 96, 720);
    assertArrayEquals(
        new int[] {8640, 11520, 14400},
        new int[] {ett.validationFrom(), ett.testFrom(), ett.end()});
  }

  @Test
  void splitsSayWhichPartIsTooShort() {
    Split split = new Split(100, 20, 30);
    split.check(150, 80, 20);
    assertTrue(
        message(split, 149, 80, 20).contains("100 + 20 + 30 = 150 rows, the series has 149"));
    assertTrue(message(split, 150, 81, 20).contains("training part has 100 rows"));
    assertTrue(message(split, 150, 10, 21).contains("validation part has 20 rows"));
    new Split(100, 0, 30).check(130, 10, 30);
    assertTrue(message(new Split(100, 0, 30), 130, 10, 31).contains("test part has 30 rows"));
  }

  private static String message(Split split, int rows, int lookBack, int horizon) {
    return assertThrows(DataException.class, () -> split.check(rows, lookBack, horizon))
        .getMessage();
  }
}
