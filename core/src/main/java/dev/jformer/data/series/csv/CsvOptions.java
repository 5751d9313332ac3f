package dev.jformer.data.series.csv;

import dev.jformer.data.series.Gaps;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * Options for reading a CSV file. Those that are null are detected from the file.
 *
 * @param time the column of times, by its name or, in a file without a header, {@code column 1} and
 *     so on; null for the first that holds times
 * @param columns the columns to read, in this order; null for all that hold numbers
 * @param gaps how missing rows and values are filled
 * @param header whether the first line holds names
 * @param separator the character between fields
 * @param decimalComma whether numbers are written as in 3,14
 */
@RecordBuilder
public record CsvOptions(
    String time,
    List<String> columns,
    Gaps gaps,
    Boolean header,
    Character separator,
    Boolean decimalComma)
    implements CsvOptionsBuilder.With {
  /** Copies the list; null gaps are filled linearly. */
  public CsvOptions {
    columns = columns == null ? null : List.copyOf(columns);
    gaps = gaps == null ? Gaps.LINEAR : gaps;
  }

  /** The default: everything is detected; gaps are filled linearly. */
  public CsvOptions() {
    this(null, null, Gaps.LINEAR, null, null, null);
  }
}
