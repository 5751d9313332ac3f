package dev.jformer.data.series;

import dev.jformer.config.Nearest;
import dev.jformer.data.DataException;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;

/**
 * A time series of several variables at a regular frequency, without gaps.
 *
 * <p>The values are float64, eight bytes each: a million rows of ten columns take 80 MB. Models get
 * them standardised, as float32, so that a meter near a billion that swings by ten keeps its swing.
 * Times take no memory: they follow from the first one and the frequency. Slices of a series share
 * its values.
 */
public final class Series {
  private final List<String> names;
  private final LocalDateTime start;
  private final Frequency frequency;
  private final double[][] columns;
  private final int from;
  private final int to;

  private Series(
      List<String> names,
      LocalDateTime start,
      Frequency frequency,
      double[][] columns,
      int from,
      int to) {
    this.names = names;
    this.start = start;
    this.frequency = frequency;
    this.columns = columns;
    this.from = from;
    this.to = to;
  }

  /**
   * Creates a series of these values, which are not copied.
   *
   * @param names one for each column, all different
   * @param start the first row's time
   * @param columns the values, of one length
   * @throws DataException if names repeat or do not fit the columns, or the lengths differ
   */
  public static Series of(
      List<String> names, LocalDateTime start, Frequency frequency, double[]... columns) {
    if (names.isEmpty() || names.size() != columns.length) {
      throw new DataException(
          "a series needs a name for each column: " + names + " for " + columns.length);
    }
    if (new HashSet<>(names).size() < names.size()) {
      throw new DataException("the columns of a series need different names, got " + names);
    }
    for (int c = 1; c < columns.length; c++) {
      if (columns[c].length != columns[0].length) {
        throw new DataException(
            "column '%s' has %d rows, '%s' has %d: expected equal numbers"
                .formatted(names.get(0), columns[0].length, names.get(c), columns[c].length));
      }
    }
    return new Series(List.copyOf(names), start, frequency, columns.clone(), 0, columns[0].length);
  }

  /** The columns' names. */
  public List<String> names() {
    return names;
  }

  /** The number of rows. */
  public int rows() {
    return to - from;
  }

  /** The number of columns. */
  public int columns() {
    return columns.length;
  }

  /** The distance between the rows. */
  public Frequency frequency() {
    return frequency;
  }

  /** The time of a row, which may lie before the first row or after the last. */
  public LocalDateTime time(int row) {
    return frequency.plus(start, (long) from + row);
  }

  /**
   * The value in a row and column.
   *
   * @throws IndexOutOfBoundsException if there is no such row or column
   */
  public double value(int row, int column) {
    return columns[column][checked(row)];
  }

  private int checked(int row) {
    if (row < 0 || row >= rows()) {
      throw new IndexOutOfBoundsException("row " + row + " of a series of " + rows() + " rows");
    }
    return from + row;
  }

  /** A copy of a column's values. */
  public double[] column(int column) {
    return Arrays.copyOfRange(columns[column], from, to);
  }

  /**
   * The rows {@code from} to {@code to}, exclusive.
   *
   * @throws DataException if these are not within the series
   */
  public Series slice(int from, int to) {
    if (from < 0 || to < from || to > rows()) {
      throw new DataException(
          "rows %d to %d are not within a series of %d rows".formatted(from, to, rows()));
    }
    return new Series(names, start, frequency, columns, this.from + from, this.from + to);
  }

  /**
   * The columns with these names, in this order.
   *
   * @throws DataException if there is no column of a name; the message lists the existing ones
   */
  public Series select(List<String> wanted) {
    List<String> missing = wanted.stream().filter(name -> !names.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw new DataException(
          "the series has no column '%s', it has %s%s"
              .formatted(String.join("', '", missing), names, Nearest.hint(missing.get(0), names)));
    }
    List<double[]> chosen = new ArrayList<>();
    for (String name : wanted) {
      chosen.add(columns[names.indexOf(name)]);
    }
    Series whole = of(wanted, start, frequency, chosen.toArray(double[][]::new));
    return new Series(whole.names, start, frequency, whole.columns, from, to);
  }

  /** The names of the columns that hold one value only. */
  public List<String> constant() {
    List<String> constant = new ArrayList<>();
    for (int c = 0; c < columns(); c++) {
      int row = from;
      while (row < to && columns[c][row] == columns[c][from]) {
        row++;
      }
      if (row == to) {
        constant.add(names.get(c));
      }
    }
    return constant;
  }

  /** Copies the values to a tensor: float64 [rows, columns]. */
  public Tensor values() {
    Tensor[] copies = new Tensor[columns()];
    return Scope.tidy(
        () -> {
          for (int c = 0; c < copies.length; c++) {
            copies[c] = Tensor.of(column(c), rows());
          }
          return Tensor.stack(1, copies);
        });
  }

  /** The columns, rows, frequency and times. */
  @Override
  public String toString() {
    return "%d rows of %s every %s from %s"
        .formatted(rows(), names, frequency, rows() == 0 ? "-" : Times.text(time(0)));
  }
}
