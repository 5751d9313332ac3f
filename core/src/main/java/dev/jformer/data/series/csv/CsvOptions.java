package dev.jformer.data.series.csv;

import dev.jformer.data.series.Gaps;
import java.util.List;

/**
 * How a CSV file is read. What is null is found out from the file.
 *
 * @param time the column of times, by its name or, in a file without a header, {@code column 1} and
 *     so on; null for the first that holds times
 * @param columns the columns to read, in this order; null for all that hold numbers
 * @param gaps what becomes of missing rows and values
 * @param header whether the first line holds names
 * @param separator what stands between fields
 * @param decimalComma whether numbers are written as in 3,14
 */
public record CsvOptions(
    String time,
    List<String> columns,
    Gaps gaps,
    Boolean header,
    Character separator,
    Boolean decimalComma) {
  /** Copies the list; null gaps are filled linearly. */
  public CsvOptions {
    columns = columns == null ? null : List.copyOf(columns);
    gaps = gaps == null ? Gaps.LINEAR : gaps;
  }

  /** Everything is found out; gaps are filled linearly. */
  public CsvOptions() {
    this(null, null, Gaps.LINEAR, null, null, null);
  }

  /** With another column of times. */
  public CsvOptions withTime(String time) {
    return new CsvOptions(time, columns, gaps, header, separator, decimalComma);
  }

  /** With only these columns. */
  public CsvOptions withColumns(List<String> columns) {
    return new CsvOptions(time, columns, gaps, header, separator, decimalComma);
  }

  /** With another treatment of gaps. */
  public CsvOptions withGaps(Gaps gaps) {
    return new CsvOptions(time, columns, gaps, header, separator, decimalComma);
  }
}
