package dev.jformer.data.series;

import dev.jformer.data.DataException;
import dev.jformer.tensor.Tensor;

/**
 * All windows of a look-back of L rows and a horizon of P rows whose horizons lie in a range of
 * rows, each one row after the one before.
 *
 * <p>The look-back may begin before that range, as is usual for the ETT data, so that all
 * validation and test rows are forecast. In rows {@code [from, to)} there are {@code to - max(from,
 * L) - P + 1} windows.
 */
public final class Windows {
  private final Tensor values;
  private final Tensor calendar;
  private final int first;
  private final int count;
  private final int lookBack;
  private final int horizon;

  /**
   * Creates the windows over the rows {@code from} to {@code to}, exclusive.
   *
   * @param values float32 [T, C], standardised; held, not copied
   * @param calendar float32 [T, F], of the same rows
   * @param lookBack L, the rows a forecast sees
   * @param horizon P, the rows it forecasts
   * @throws DataException if no window fits; the message says how many rows are needed
   */
  public Windows(Tensor values, Tensor calendar, int from, int to, int lookBack, int horizon) {
    if (lookBack < 1 || horizon < 1) {
      throw new DataException(
          "a window needs a look-back and a horizon of 1 row or more, got %d and %d"
              .formatted(lookBack, horizon));
    }
    if (values.rank() != 2 || calendar.rank() != 2 || values.size(0) != calendar.size(0)) {
      throw new DataException(
          "expected values [T, C] and a calendar [T, F] of the same rows, got %s and %s"
              .formatted(values.shape(), calendar.shape()));
    }
    if (from < 0 || to < from || to > values.size(0)) {
      throw new DataException(
          "rows %d to %d are not within a series of %d rows".formatted(from, to, values.size(0)));
    }
    this.values = values;
    this.calendar = calendar;
    this.first = Math.max(0, from - lookBack);
    this.count = to - Math.max(from, lookBack) - horizon + 1;
    this.lookBack = lookBack;
    this.horizon = horizon;
    if (count < 1) {
      int before = Math.min(from, lookBack);
      throw new DataException(
          ("rows %d to %d are %d with %d before them to look back to: a look-back of %d and a"
                  + " horizon of %d need %d; give more rows, or a shorter look-back or horizon")
              .formatted(
                  from, to, to - from, before, lookBack, horizon, lookBack - before + horizon));
    }
  }

  /** The number of windows. */
  public int count() {
    return count;
  }

  /** The first row that window {@code index} forecasts. */
  public int row(int index) {
    return first + index + lookBack;
  }

  /**
   * The windows with these indices, from 0 to {@link #count()}, exclusive, in this order.
   *
   * @throws DataException if there is no window of an index
   */
  public Batch batch(long[] indices) {
    int length = lookBack + horizon;
    long[] rows = new long[Math.multiplyExact(indices.length, length)];
    int at = 0;
    for (long index : indices) {
      if (index < 0 || index >= count) {
        throw new DataException("there is no window " + index + ": there are " + count);
      }
      for (int i = 0; i < length; i++) {
        rows[at++] = first + index + i;
      }
    }
    Tensor index = Tensor.of(rows, rows.length).to(values.device());
    Tensor cut = values.indexSelect(0, index).unflatten(0, indices.length, length);
    Tensor days = calendar.indexSelect(0, index).unflatten(0, indices.length, length);
    return new Batch(past(cut), past(days), future(cut), future(days));
  }

  private Tensor past(Tensor window) {
    return window.narrow(1, 0, lookBack).contiguous();
  }

  private Tensor future(Tensor window) {
    return window.narrow(1, lookBack, horizon).contiguous();
  }

  /**
   * A batch of B windows.
   *
   * @param past float32 [B, L, C], the values that are seen
   * @param pastCalendar float32 [B, L, F]
   * @param future float32 [B, P, C], the values to forecast
   * @param futureCalendar float32 [B, P, F], known beforehand
   */
  public record Batch(Tensor past, Tensor pastCalendar, Tensor future, Tensor futureCalendar) {}
}
