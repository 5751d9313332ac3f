package dev.jformer.run;

import java.time.LocalDateTime;
import java.util.List;

/**
 * A forecast of series, in the units of their data.
 *
 * @param columns names of the variables
 * @param times the times of the rows that are forecast
 * @param rows the forecast: a value for each variable in each row
 * @param lower the lower ends of bands that contain the future values with the requested coverage;
 *     empty if the model's folder has no errors to derive them from
 * @param upper the upper ends of the bands
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
