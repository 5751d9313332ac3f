package dev.jformer.app.bench;

import java.util.List;
import java.util.Locale;

/**
 * The outcome of a run of benchmarks.
 *
 * @param machine what it ran on
 * @param rounds how often each was measured
 * @param rows the figures
 */
public record BenchReport(String machine, int rounds, List<Row> rows) {
  /**
   * One comparison.
   *
   * @param name what was measured
   * @param ours how fast we are
   * @param peer what it is compared with
   * @param theirs how fast that is
   * @param unit of both
   * @param ratio ours to theirs, the median over the rounds
   * @param low lower quartile of the ratio
   * @param high upper quartile of the ratio
   * @param bar the ratio we want; NaN if none was set
   * @param note what limits it
   */
  public record Row(
      String name,
      double ours,
      String peer,
      double theirs,
      String unit,
      double ratio,
      double low,
      double high,
      double bar,
      String note) {}

  /** A table in Markdown. */
  public String toMarkdown() {
    StringBuilder text = new StringBuilder("# Benchmarks\n\n");
    text.append(machine).append(". ");
    text.append(rounds)
        .append(" rounds, everything in a row measured in turn in each; ")
        .append("a ratio is the median over the rounds, its quartiles in brackets.\n\n");
    text.append("| what | ours | beside | theirs | unit | ratio | wanted | limit |\n");
    text.append("| --- | ---: | --- | ---: | --- | ---: | ---: | --- |\n");
    for (Row row : rows) {
      text.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s | %s | %s | %s |%n",
              row.name,
              number(row.ours),
              row.peer,
              number(row.theirs),
              row.unit,
              ratio(row),
              Double.isNaN(row.bar) ? "" : String.format(Locale.ROOT, ">= %.2f", row.bar),
              row.note));
    }
    return text.toString();
  }

  private static String ratio(Row row) {
    return Double.isNaN(row.ratio)
        ? ""
        : String.format(Locale.ROOT, "%.3f (%.3f-%.3f)", row.ratio, row.low, row.high);
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    return String.format(Locale.ROOT, value >= 100 ? "%,.0f" : "%.2f", value);
  }
}
