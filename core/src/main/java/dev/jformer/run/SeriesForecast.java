package dev.jformer.run;

import java.time.LocalDateTime;
import java.util.List;

/**
 * How series go on, in the units of their data.
 *
 * @param columns names of the variables
 * @param times of the rows that are forecast
 * @param rows the forecast: a value for each variable in each row
 * @param lower the lower ends of bands that what comes lies in as often as was asked for; empty if
 *     the model's folder says nothing of its errors
 * @param upper their upper ends
 */
public record SeriesForecast(
    List<String> columns,
    List<LocalDateTime> times,
    List<List<Double>> rows,
    List<List<Double>> lower,
    List<List<Double>> upper) {
  /** The forecast of one variable. */
  public List<Double> column(String name) {
    int column = columns.indexOf(name);
    if (column < 0) {
      throw new IllegalArgumentException(
          "there is no column '" + name + "': there are " + String.join(", ", columns));
    }
    return rows.stream().map(row -> row.get(column)).toList();
  }
}
