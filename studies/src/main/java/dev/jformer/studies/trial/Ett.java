package dev.jformer.studies.trial;

import dev.jformer.data.series.Frequency;
import dev.jformer.data.series.Series;
import dev.jformer.data.series.Split;
import dev.jformer.data.series.csv.CsvOptions;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.ExperimentContext;
import dev.jformer.studies.Scale;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The hourly electricity transformer data (ETTh1) with the split of forecasting papers. At smoke
 * scale a synthetic series replaces it.
 *
 * @param series the rows
 * @param split of the rows into training, validation and test
 */
public record Ett(Series series, Split split) {
  private static final String FILE = "ett/ETTh1.csv";

  /** Reads the data for the context's scale. */
  public static Ett of(ExperimentContext context) {
    if (context.scale() == Scale.SMOKE) {
      return new Ett(madeUp(700), new Split(400, 150, 150));
    }
    Path file = DataSets.require(FILE);
    try {
      return new Ett(SeriesCsv.read(file, new CsvOptions()).series(), Split.ETT_HOURLY);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  /** Makes a series with daily and weekly periods and noise. */
  private static Series madeUp(int rows) {
    SplittableRandom random = new SplittableRandom(1);
    double[][] columns = new double[4][rows];
    for (int c = 0; c < columns.length; c++) {
      for (int t = 0; t < rows; t++) {
        double day = Math.sin(2 * Math.PI * (t + 3.0 * c) / 24);
        double week = Math.cos(2 * Math.PI * t / 168);
        columns[c][t] = (float) (day + 0.5 * week + 0.3 * random.nextGaussian() + c);
      }
    }
    LocalDateTime start = LocalDateTime.of(2016, 7, 1, 0, 0);
    Frequency hourly = Frequency.of(1, Frequency.Unit.HOUR);
    return Series.of(List.of("a", "b", "c", "d"), start, hourly, columns);
  }
}
