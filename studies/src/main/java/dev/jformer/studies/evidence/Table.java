package dev.jformer.studies.evidence;

import java.util.List;

/**
 * A table of measured values.
 *
 * @param title of the table
 * @param columns titles of the columns, with units
 * @param rows cells by row, as many in each as there are columns; see {@link #row}
 */
public record Table(String title, List<String> columns, List<List<String>> rows) {
  /** Checks that rows fit the columns. */
  public Table {
    for (List<String> row : rows) {
      if (row.size() != columns.size()) {
        throw new IllegalArgumentException(
            "the table '" + title + "' has " + columns.size() + " columns, but a row is " + row);
      }
    }
  }

  /** Makes a row; numbers are printed with four significant digits. */
  public static List<String> row(Object... cells) {
    return java.util.Arrays.stream(cells)
        .map(cell -> cell instanceof Double d ? Check.number(d) : String.valueOf(cell))
        .toList();
  }
}
