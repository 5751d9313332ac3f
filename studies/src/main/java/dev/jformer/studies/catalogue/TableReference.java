package dev.jformer.studies.catalogue;

/**
 * Points to a figure of a paper's results, and to the figure that it is compared with. The table is
 * the first that has the column and the rows. A column whose name begins with {@code spread} holds
 * the spread of the column on its left.
 *
 * @param goal what the figure says something about
 * @param row how the row of the technique begins: its first cell, or several joined by {@code " ;
 *     "}
 * @param column the column's name
 * @param against how the row begins that it is compared with; null for the same row
 * @param againstColumn the column that it is compared with; null for the same column
 * @param higher whether a higher figure is better
 * @param table how the table's title begins, where several tables would fit; null for any
 */
public record TableReference(
    Goal goal,
    String row,
    String column,
    String against,
    String againstColumn,
    boolean higher,
    String table) {
  /** Whether the figure stands alone, with nothing to compare it with. */
  public boolean standsAlone() {
    return against == null && againstColumn == null;
  }
}
