package dev.jformer.studies.pages;

import dev.jformer.studies.catalogue.TableReference;
import dev.jformer.studies.evidence.Evidence;
import dev.jformer.studies.evidence.Table;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A measured figure of a technique and the figure that it is compared with.
 *
 * @param goal that the figure measures
 * @param measured title of the column, with its unit
 * @param table title of the table
 * @param technique name of the technique's row
 * @param value the technique's figure
 * @param spread of the technique's figure over seeds; empty if unknown
 * @param against name of the row or column that it is compared with; empty if there is none
 * @param other the figure that it is compared with
 * @param otherSpread of the other figure over seeds; empty if unknown
 * @param difference how much better or worse the technique is; empty if there is no comparison
 */
public record Finding(
    String goal,
    String measured,
    String table,
    String technique,
    String value,
    String spread,
    String against,
    String other,
    String otherSpread,
    String difference) {
  private static final String BETTER = "better";

  /** Between a mean and its spread, as cells of tables over seeds are written. */
  private static final String SPREAD = " ± ";

  /** The technique's figure, with its spread if known. */
  public String figure() {
    return withSpread(value, spread);
  }

  /** The figure that it is compared with, with its spread if known. */
  public String otherFigure() {
    return withSpread(other, otherSpread);
  }

  private static String withSpread(String value, String spread) {
    return spread.isEmpty() ? value : value + " (spread " + spread + ")";
  }

  /**
   * Finds the figures of a reference in the results.
   *
   * @throws IllegalArgumentException if the results have no such figure
   */
  static Finding of(TableReference reference, Evidence evidence) {
    for (Table table : evidence.tables()) {
      if (reference.table() != null && !table.title().startsWith(reference.table())) {
        continue;
      }
      int column = table.columns().indexOf(reference.column());
      String otherName = Objects.requireNonNullElse(reference.againstColumn(), reference.column());
      int otherColumn = table.columns().indexOf(otherName);
      List<String> row = row(table, reference.row());
      List<String> other =
          row(table, Objects.requireNonNullElse(reference.against(), reference.row()));
      if (column >= 0 && otherColumn >= 0 && row != null && other != null) {
        return of(reference, table, row, column, other, otherColumn);
      }
    }
    throw new IllegalArgumentException(
        "the results of "
            + evidence.slug()
            + " have no table with the row and column of  "
            + reference);
  }

  private static Finding of(
      TableReference reference,
      Table table,
      List<String> row,
      int column,
      List<String> other,
      int otherColumn) {
    String value = value(row.get(column));
    String spread = spread(table, row, column);
    String goal = reference.goal().words();
    String technique = name(reference.row());
    if (reference.standsAlone()) {
      return new Finding(
          goal, reference.column(), table.title(), technique, value, spread, "", "", "", "");
    }
    String otherSpread = spread(table, other, otherColumn);
    String against =
        reference.againstColumn() == null
            ? name(reference.against())
            : reference.against() == null
                ? reference.againstColumn()
                : name(reference.against()) + ", " + reference.againstColumn();
    return new Finding(
        goal,
        reference.column(),
        table.title(),
        technique,
        value,
        spread,
        against,
        value(other.get(otherColumn)),
        otherSpread,
        difference(
            number(value),
            number(value(other.get(otherColumn))),
            Math.max(deviation(spread), deviation(otherSpread)),
            reference.higher()));
  }

  private static List<String> row(Table table, String name) {
    return table.rows().stream()
        .filter(cells -> (String.join(" ; ", cells) + " ; ").startsWith(name + " ; "))
        .findFirst()
        .orElse(null);
  }

  /** The first cells of a row as a name, without the mark of the Pareto front. */
  private static String name(String row) {
    return row.replaceAll(" \\*$", "").replaceAll(" ; ", ", ").replaceAll("^, ", "");
  }

  /** The figure of a cell without its spread. */
  private static String value(String cell) {
    return cell.split(SPREAD, 2)[0];
  }

  /** The spread of a figure, from its cell or the column on its right; empty if there is none. */
  private static String spread(Table table, List<String> row, int column) {
    String[] parts = row.get(column).split(SPREAD, 2);
    int next = column + 1;
    boolean isBeside = next < row.size() && table.columns().get(next).startsWith("spread");
    String spread = parts.length > 1 ? parts[1] : isBeside ? row.get(next) : "";
    return deviation(spread) > 0 ? spread : "";
  }

  /** The number of a spread; 0 if there is none. */
  private static double deviation(String spread) {
    try {
      return Double.parseDouble(spread.replace(",", ""));
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /**
   * The number of a figure.
   *
   * @throws IllegalArgumentException if it is none: it could not be compared
   */
  private static double number(String figure) {
    try {
      return figure.equals("∞")
          ? Double.POSITIVE_INFINITY
          : Double.parseDouble(figure.replace(",", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "'" + figure + "' is no figure that can be compared: expected a number", e);
    }
  }

  private static String difference(double value, double other, double spread, boolean higher) {
    String verdict = value > other == higher ? BETTER : "worse";
    if (Double.isInfinite(other) || Double.isInfinite(value)) {
      return "only one trains: " + verdict;
    }
    double percent = 100 * (value - other) / Math.abs(other);
    if (value == other || Math.abs(percent) < 0.05) {
      return "the same";
    }
    if (Math.abs(value - other) <= spread) {
      return "within the spread";
    }
    return percent >= 100
        ? String.format(Locale.ROOT, "%.1f times as much: %s", value / other, verdict)
        : String.format(Locale.ROOT, "%+.1f %%: %s", percent, verdict);
  }

  /** Whether the technique is better, by more than the spread if that is known. */
  public boolean isBetter() {
    return difference.endsWith(BETTER);
  }
}
