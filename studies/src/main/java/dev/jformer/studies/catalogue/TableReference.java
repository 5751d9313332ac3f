package dev.jformer.studies.catalogue;

/**
 * A reference to a figure in a study's results and to the figure that it is compared with. The
 * first table that has the column and the rows is used. A column whose title begins with {@code
 * spread} contains the spread of the column on its left.
 *
 * @param goal that the figure measures
 * @param row start of the technique's row: its first cell, or several joined by {@code " ; "}
 * @param column title of the column
 * @param against start of the row to compare with; null for the same row
 * @param againstColumn title of the column to compare with; null for the same column
 * @param higher whether a higher figure is better
 * @param table start of the table's title, to choose among several tables; null for any
 */
public record TableReference(
    Goal goal,
    String row,
    String column,
    String against,
    String againstColumn,
    boolean higher,
    String table) {
  /** Whether there is no other figure to compare with. */
  public boolean standsAlone() {
    return against == null && againstColumn == null;
  }
}
