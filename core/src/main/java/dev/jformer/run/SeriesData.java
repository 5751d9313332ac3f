package dev.jformer.run;

import com.google.auto.service.AutoService;
import dev.jformer.data.series.Gaps;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.csv.CsvOptions;
import io.soabase.recordbuilder.core.RecordBuilder;
import java.util.List;

/**
 * Configuration of the series that a forecaster is trained on: a CSV file with a column of times.
 *
 * @param source the file
 * @param time the column of times; empty for the first whose values are times
 * @param columns the variables; empty for all columns of numbers
 * @param gaps the treatment of missing rows and values
 * @param training rows to train on: a share if less than 1, else their number
 * @param validation rows after those to select the best weights on, likewise
 * @param test rows after those to report errors on, likewise
 */
@AutoService(DataConfig.class)
@RecordBuilder
public record SeriesData(
    String source,
    String time,
    List<String> columns,
    Gaps gaps,
    double training,
    double validation,
    double test)
    implements DataConfig, SeriesDataBuilder.With {
  /** Defaults: all columns; seven tenths, a tenth and two tenths of the rows. */
  public SeriesData() {
    this("", "", List.of(), Gaps.LINEAR, 0.7, 0.1, 0.2);
  }

  /** Checks the values. */
  public SeriesData {
    check("training", training);
    check("validation", validation);
    check("test", test);
    if (training == 0 || validation == 0) {
      throw new IllegalArgumentException(
          "training is " + training + " and validation " + validation + ": both need rows");
    }
  }

  private static void check(String name, double part) {
    boolean rows = part == Math.rint(part) && part <= Integer.MAX_VALUE;
    if (!(part >= 0 && (part < 1 || rows))) {
      throw new IllegalArgumentException(
          name + " is " + part + ": expected a share below 1, or a whole number of rows");
    }
  }

  @Override
  public String type() {
    return "series";
  }

  @Override
  public SeriesData withSource(String source) {
    return SeriesDataBuilder.With.super.withSource(source);
  }

  /** The options for reading the file. */
  public CsvOptions csv() {
    CsvOptions options = new CsvOptions().withGaps(gaps);
    options = time.isEmpty() ? options : options.withTime(time);
    return columns.isEmpty() ? options : options.withColumns(columns);
  }

  /** Splits a number of rows into the parts. Shares that add up to 1 use all rows. */
  public Split split(int rows) {
    if (training < 1 && validation < 1 && test < 1) {
      return Split.shares(rows, training, validation, test);
    }
    return new Split(count(training, rows), count(validation, rows), count(test, rows));
  }

  private static int count(double part, int rows) {
    return (int) (part < 1 ? part * rows : part);
  }
}
