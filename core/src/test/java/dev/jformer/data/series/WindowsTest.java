package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Windows, against loops over an array. */
@ExtendWith(Scoped.class)
class WindowsTest {
  private static Tensor numbered(int rows, int columns, double start) {
    double[] values = new double[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = start + i;
    }
    return Tensor.of(values, rows, columns);
  }

  @Test
  void areThoseOfALoop() {
    Random random = new Random(Scoped.seed());
    for (int trial = 0; trial < 100; trial++) {
      int rows = 5 + random.nextInt(40);
      int columns = 1 + random.nextInt(4);
      int lookBack = 1 + random.nextInt(8);
      int horizon = 1 + random.nextInt(5);
      int from = random.nextInt(rows);
      int to = from + random.nextInt(rows - from + 1);
      Tensor values = numbered(rows, columns, 0);
      Tensor calendar = numbered(rows, 2, 0.5);
      // Every place where the horizon lies in the rows and the look-back in the series.
      List<Integer> starts =
          java.util.stream.IntStream.range(0, rows)
              .filter(s -> s + lookBack >= from && s + lookBack + horizon <= to)
              .boxed()
              .toList();
      if (starts.isEmpty()) {
        assertThrows(
            DataException.class, () -> new Windows(values, calendar, from, to, lookBack, horizon));
        continue;
      }
      Windows windows = new Windows(values, calendar, from, to, lookBack, horizon);
      assertEquals(starts.size(), windows.count());
      long[] indices = random.longs(7, 0, windows.count()).toArray();
      Windows.Batch batch = windows.batch(indices);
      for (int b = 0; b < indices.length; b++) {
        int start = starts.get((int) indices[b]);
        assertEquals(start + lookBack, windows.row((int) indices[b]));
        Close.assertSame(values.narrow(0, start, lookBack), batch.past().select(0, b), "past");
        Close.assertSame(
            values.narrow(0, start + lookBack, horizon), batch.future().select(0, b), "future");
        Close.assertSame(
            calendar.narrow(0, start, lookBack), batch.pastCalendar().select(0, b), "calendar");
        Close.assertSame(
            calendar.narrow(0, start + lookBack, horizon),
            batch.futureCalendar().select(0, b),
            "future calendar");
      }
    }
  }

  @Test
  void theEttSplitHasTheUsualCounts() {
    Tensor values = Tensor.zeros(17420, 1);
    Split split = Split.ETT_HOURLY;
    assertEquals(8640 - 96 - 96 + 1, new Windows(values, values, 0, split.train(), 96, 96).count());
    assertEquals(
        2880 - 96 + 1,
        new Windows(values, values, split.validationFrom(), split.testFrom(), 96, 96).count());
    assertEquals(
        2880 - 96 + 1, new Windows(values, values, split.testFrom(), split.end(), 96, 96).count());
  }

  @Test
  void errorsSayHowManyRowsAreNeeded() {
    Tensor values = Tensor.zeros(100, 3);
    String message =
        assertThrows(DataException.class, () -> new Windows(values, values, 0, 30, 24, 8))
            .getMessage();
    assertTrue(message.contains("need 32"), message);
    assertEquals(1, new Windows(values, values, 0, 32, 24, 8).count());
    message =
        assertThrows(DataException.class, () -> new Windows(values, values, 10, 20, 24, 8))
            .getMessage();
    assertTrue(message.contains("need 22"), message);
    assertEquals(1, new Windows(values, values, 10, 32, 24, 8).count());
    assertThrows(DataException.class, () -> new Windows(values, values, 0, 101, 24, 8));
    assertThrows(DataException.class, () -> new Windows(values, values, 0, 100, 0, 8));
    assertThrows(DataException.class, () -> new Windows(values, Tensor.zeros(99, 2), 0, 90, 24, 8));
    Windows windows = new Windows(values, values, 0, 100, 24, 8);
    assertThrows(DataException.class, () -> windows.batch(new long[] {windows.count()}));
    assertThrows(DataException.class, () -> windows.batch(new long[] {-1}));
  }
}
