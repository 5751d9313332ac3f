package dev.jformer.data.series;

import dev.jformer.data.DataException;

/**
 * Numbers of rows for training, validation and test, in this order from the first row on. Later
 * rows are not used.
 *
 * @param train rows for training; mean and deviation are computed from them
 * @param validation rows for early stopping and model selection
 * @param test rows for the reported errors
 */
public record Split(int train, int validation, int test) {
  /** The usual split of the hourly ETT data: 12, 4 and 4 months of 30 days. */
  public static final Split ETT_HOURLY = new Split(8640, 2880, 2880);

  /** Checks the numbers. */
  public Split {
    if (train < 1 || validation < 0 || test < 0) {
      throw new DataException(
          "a split of %d, %d and %d rows: expected 1 or more for training, and 0 or more for the others"
              .formatted(train, validation, test));
    }
  }

  /**
   * Splits by shares of all rows, as 0.7, 0.1 and 0.2. Training and test are rounded down;
   * validation gets the rest if the shares add up to 1.
   *
   * @throws DataException if a share is negative or they are more than 1 together
   */
  public static Split shares(int rows, double train, double validation, double test) {
    double sum = train + validation + test;
    if (!(train > 0) || !(validation >= 0) || !(test >= 0) || sum > 1 + 1e-9) {
      throw new DataException(
          "expected shares of 0 or more that are at most 1 together, the first positive; got %s, %s"
                  .formatted(train, validation)
              + " and "
              + test);
    }
    int training = (int) (rows * train);
    int testing = (int) (rows * test);
    int rest = rows - training - testing;
    return new Split(
        training, sum > 1 - 1e-9 ? rest : Math.min(rest, (int) (rows * validation)), testing);
  }

  /** The first row of the validation part. */
  public int validationFrom() {
    return train;
  }

  /** The first row of the test part. */
  public int testFrom() {
    return train + validation;
  }

  /** The first row after all parts. */
  public int end() {
    return train + validation + test;
  }

  /**
   * Checks that a series has enough rows, and that every nonempty part has room for a window.
   *
   * @return this
   * @throws DataException if not; the message says how many rows are missing in which part
   */
  public Split check(int rows, int lookBack, int horizon) {
    if (end() > rows) {
      throw new DataException(
          "the split needs %d + %d + %d = %d rows, the series has %d: give more rows or a smaller split"
              .formatted(train, validation, test, end(), rows));
    }
    enough("training", train, lookBack + horizon, lookBack, horizon);
    if (validation > 0) {
      enough("validation", validation, horizon + Math.max(0, lookBack - train), lookBack, horizon);
    }
    if (test > 0) {
      int before = train + validation;
      enough("test", test, horizon + Math.max(0, lookBack - before), lookBack, horizon);
    }
    return this;
  }

  private static void enough(String part, int rows, int needed, int lookBack, int horizon) {
    if (rows < needed) {
      throw new DataException(
          ("the %s part has %d rows, a look-back of %d and a horizon of %d need %d there: give more"
                  + " rows, or a shorter look-back or horizon")
              .formatted(part, rows, lookBack, horizon, needed));
    }
  }
}
