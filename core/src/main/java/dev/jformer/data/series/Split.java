package dev.jformer.data.series;

import dev.jformer.data.DataException;

/**
 * How many rows train, validate and test, in this order from the first row on. Rows after these are
 * not used.
 *
 * @param train rows to learn from, and to take mean and deviation of
 * @param validation rows to stop early and to choose by
 * @param test rows to report
 */
public record Split(int train, int validation, int test) {
  /** The usual split of the hourly ETT data: 12, 4 and 4 months of 30 days. */
  public static final Split ETT_HOURLY = new Split(8640, 2880, 2880);

  /** Checks the numbers. */
  public Split {
    if (train < 1 || validation < 0 || test < 0) {
      throw new DataException(
          "a split needs rows to train, and none less than 0: got %d, %d and %d"
              .formatted(train, validation, test));
    }
  }

  /**
   * Shares of all rows, as 0.7, 0.1 and 0.2: training and test are rounded down, validation has the
   * rest if the shares add up to 1.
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
   * Checks that a series has these rows, and that every part that has any has room for a window.
   *
   * @return this
   * @throws DataException which says how many rows are missing where
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
                  + " rows or make them shorter")
              .formatted(part, rows, lookBack, horizon, needed));
    }
  }
}
