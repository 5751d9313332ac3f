package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.jformer.data.series.csv.CsvOptions;
import dev.jformer.data.series.csv.SeriesCsv;
import dev.jformer.metrics.ForecastError;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The ETT data, where it is: in the folder {@code ett} of {@code $JFORMER_DATA}, or of a folder
 * {@code shared/data} beside the project. It may not be redistributed with it.
 */
@ExtendWith(Scoped.class)
class EttTest {
  private static Path file(String name) {
    String root = System.getenv("JFORMER_DATA");
    Path file = Path.of(root != null ? root : "../../shared/data", "ett", name);
    assumeTrue(
        Files.exists(file), () -> "no " + file + ": set JFORMER_DATA to a folder with ett/" + name);
    return file;
  }

  @Test
  void holdsWhatItsAuthorsSay() throws IOException {
    for (String name : List.of("ETTh1.csv", "ETTh2.csv")) {
      SeriesCsv.Read read = SeriesCsv.read(file(name), new CsvOptions().withGaps(Gaps.ERROR));
      Series series = read.series();
      assertEquals(17_420, series.rows());
      assertEquals(Frequency.parse("1h"), series.frequency());
      assertEquals(List.of("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT"), series.names());
      assertEquals(LocalDateTime.of(2016, 7, 1, 0, 0), series.time(0));
      assertEquals(LocalDateTime.of(2018, 6, 26, 19, 0), series.time(17_419));
      assertEquals(1, read.remarks().size(), "" + read.remarks());
    }
    Series series = SeriesCsv.read(file("ETTh1.csv"), new CsvOptions()).series();
    assertEquals(30.531, series.value(0, 6), 1e-6);
    assertEquals(5.827, series.value(0, 0), 1e-6);
  }

  @Test
  void naiveForecastsAreAsFarOffAsALoopFinds() throws IOException {
    Series series = SeriesCsv.read(file("ETTh1.csv"), new CsvOptions()).series();
    Split split = Split.ETT_HOURLY.check(series.rows(), 96, 96);
    Standardizer standardizer = Standardizer.of(series.slice(0, split.train()));
    Tensor values = standardizer.apply(series);
    Windows windows =
        new Windows(
            values, Calendar.of(series, 0, series.rows()), split.testFrom(), split.end(), 96, 96);
    ForecastError error = new ForecastError();
    for (int from = 0; from < windows.count(); from += 500) {
      int to = Math.min(windows.count(), from + 500);
      Windows.Batch batch = windows.batch(java.util.stream.LongStream.range(from, to).toArray());
      error.add(NaiveForecast.lastValue(batch.past(), 96), batch.future());
    }
    assertEquals(2785, error.windows());
    double squares = 0;
    double absolute = 0;
    for (int c = 0; c < 7; c++) {
      double[] column = new double[series.rows()];
      for (int i = 0; i < column.length; i++) {
        column[i] = (series.value(i, c) - standardizer.mean()[c]) / standardizer.deviation()[c];
      }
      for (int start = 11_520; start + 96 <= 14_400; start++) {
        for (int step = 0; step < 96; step++) {
          double e = column[start + step] - column[start - 1];
          squares += e * e;
          absolute += Math.abs(e);
        }
      }
    }
    assertEquals(squares / (2785.0 * 96 * 7), error.mse(), 1e-5);
    assertEquals(absolute / (2785.0 * 96 * 7), error.mae(), 1e-5);
    Close.assertClose(new double[7], values.narrow(0, 0, 8640).mean(0, false), 1e-4);
    System.out.printf(
        java.util.Locale.ROOT,
        "ETTh1, 96 steps, last value repeated: MSE %.3f, MAE %.3f%n",
        error.mse(),
        error.mae());
  }
}
