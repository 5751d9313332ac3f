package dev.jformer.data.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.metrics.Coverage;
import dev.jformer.metrics.ForecastError;
import dev.jformer.metrics.QuantileLoss;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Close;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Naive forecasts, errors, quantiles and bands, against loops and closed forms. */
@ExtendWith(Scoped.class)
class ForecastTest {
  private final Random random = new Random(Scoped.seed());

  private double[] values(int n) {
    return random.doubles(n, -3, 3).toArray();
  }

  @Test
  void naiveForecastsRepeat() {
    int length = 11;
    double[] past = values(2 * length * 3);
    Tensor tensor = Tensor.of(past, 2, length, 3);
    for (int season : new int[] {1, 2, 5, 11}) {
      for (int horizon : new int[] {1, 4, 5, 6, 23}) {
        double[] expected = new double[2 * horizon * 3];
        for (int i = 0; i < expected.length; i++) {
          int column = i % 3;
          int step = i / 3 % horizon;
          int row = length - season + step % season;
          expected[i] = past[(i / 3 / horizon * length + row) * 3 + column];
        }
        Tensor found = NaiveForecast.seasonal(tensor, horizon, season);
        assertEquals(horizon, found.size(1));
        Close.assertClose(expected, found, 0);
        if (season == 1) {
          Close.assertClose(expected, NaiveForecast.lastValue(tensor, horizon), 0);
        }
      }
    }
    String message =
        assertThrows(DataException.class, () -> NaiveForecast.seasonal(tensor, 4, 24)).getMessage();
    assertTrue(message.contains("24") && message.contains("11"), message);
  }

  @Test
  void errorsOfBatchesOfAnySizeAreThoseOfAll() {
    int n = 23;
    int horizon = 4;
    int columns = 3;
    double[] forecast = values(n * horizon * columns);
    double[] truth = values(n * horizon * columns);
    ForecastError error = new ForecastError();
    for (int at = 0; at < n; ) {
      int size = Math.min(n - at, 1 + random.nextInt(7));
      int from = at * horizon * columns;
      int to = from + size * horizon * columns;
      error.add(
          Tensor.of(Arrays.copyOfRange(forecast, from, to), size, horizon, columns),
          Tensor.of(Arrays.copyOfRange(truth, from, to), size, horizon, columns));
      at += size;
    }
    double mse = 0;
    double mae = 0;
    double[] byStep = new double[horizon];
    double[] byColumn = new double[columns];
    for (int i = 0; i < truth.length; i++) {
      double e = forecast[i] - truth[i];
      mse += e * e / truth.length;
      mae += Math.abs(e) / truth.length;
      byStep[i / columns % horizon] += e * e / (n * columns);
      byColumn[i % columns] += Math.abs(e) / (n * horizon);
    }
    assertEquals(n, error.windows());
    assertEquals(mse, error.mse(), 1e-12);
    assertEquals(mae, error.mae(), 1e-12);
    for (int p = 0; p < horizon; p++) {
      assertEquals(byStep[p], error.mseByStep()[p], 1e-12);
    }
    for (int c = 0; c < columns; c++) {
      assertEquals(byColumn[c], error.maeByColumn()[c], 1e-12);
    }
    assertEquals(error.mae(), Arrays.stream(error.maeByStep()).average().orElseThrow(), 1e-12);
    assertEquals(error.mse(), Arrays.stream(error.mseByColumn()).average().orElseThrow(), 1e-12);
    assertThrows(
        DataException.class, () -> error.add(Tensor.zeros(1, 4, 2), Tensor.zeros(1, 4, 2)));
    assertThrows(
        DataException.class, () -> error.add(Tensor.zeros(1, 4, 3), Tensor.zeros(1, 4, 1)));
    assertTrue(Double.isNaN(new ForecastError().mse()));
  }

  @Test
  void theQuantileMinimisesThePinballLoss() {
    double[] truth = random.doubles(999, 0, 1).toArray();
    double[] sorted = truth.clone();
    Arrays.sort(sorted);
    Tensor values = Tensor.of(truth);
    for (double q : new double[] {0.1, 0.5, 0.9}) {
      double best = loss(values, sorted[(int) Math.floor(q * 999)], q);
      for (double other = 0; other <= 1; other += 0.01) {
        assertTrue(best <= loss(values, other, q) + 1e-12, q + " at " + other);
      }
      double expected = 0;
      for (double t : truth) {
        expected += (t >= 0.3 ? q * (t - 0.3) : (1 - q) * (0.3 - t)) / 999;
      }
      assertEquals(expected, loss(values, 0.3, q), 1e-12);
    }
    assertThrows(DataException.class, () -> loss(values, 0, 1));
  }

  private static double loss(Tensor truth, double forecast, double quantile) {
    Tensor all = truth.mul(0).add(forecast);
    return QuantileLoss.of(all, truth, quantile).item();
  }

  @Test
  void bandsAreOrderStatisticsOfTheErrors() {
    int n = 40;
    double[] residuals = values(n * 3 * 2);
    ConformalBands bands = ConformalBands.of(Tensor.of(residuals, n, 3, 2), 0.9);
    double[] expected = new double[6];
    for (int cell = 0; cell < 6; cell++) {
      double[] errors = new double[n];
      for (int i = 0; i < n; i++) {
        errors[i] = Math.abs(residuals[i * 6 + cell]);
      }
      Arrays.sort(errors);
      expected[cell] = errors[37 - 1]; // ceil(41 · 0.9) = ceil(36.9)
    }
    Close.assertClose(expected, bands.halfWidth(), 0);
    Tensor forecast = Tensor.of(values(5 * 6), 5, 3, 2);
    Tensor width = bands.upper(forecast).sub(bands.lower(forecast));
    Close.assertClose(bands.halfWidth().mul(2).expand(5, 3, 2), width, 1e-12);
  }

  @Test
  void bandsNeedEnoughErrors() {
    // (9 + 1) · 0.9 = 9: nine errors just suffice, and the band is the largest of them.
    double[] nine = values(9);
    Tensor width = ConformalBands.of(Tensor.of(nine, 9, 1, 1), 0.9).halfWidth();
    assertEquals(Arrays.stream(nine).map(Math::abs).max().orElseThrow(), width.item());
    String message =
        assertThrows(
                DataException.class, () -> ConformalBands.of(Tensor.of(values(8), 8, 1, 1), 0.9))
            .getMessage();
    assertTrue(message.contains("9 or more validation windows, got 8"), message);
    assertThrows(DataException.class, () -> ConformalBands.of(Tensor.zeros(8, 1, 1), 1));
    assertThrows(DataException.class, () -> ConformalBands.of(Tensor.zeros(8, 1), 0.5));
  }

  @Test
  void bandsCoverWhatTheyPromise() {
    // Exchangeable errors: the expected coverage is ⌈(n + 1) c⌉ / (n + 1), here 0.8 exactly.
    int n = 99;
    int trials = 2_000;
    double[] calibration = random.doubles((long) n * trials).map(u -> u * u).toArray();
    ConformalBands bands = ConformalBands.of(Tensor.of(calibration, n, trials, 1), 0.8);
    double[] fresh = random.doubles(trials).map(u -> u * u).toArray();
    Tensor truth = Tensor.of(fresh, 1, trials, 1);
    Tensor zero = truth.mul(0);
    Coverage coverage = new Coverage();
    coverage.add(bands.lower(zero), bands.upper(zero), truth);
    double deviation = Math.sqrt(0.8 * 0.2 / trials);
    assertEquals(0.8, coverage.share(), 4 * deviation);
    assertEquals(2 * bands.halfWidth().mean().item(), coverage.meanWidth(), 1e-12);
  }

  @Test
  void coverageCountsTheEdges() {
    Coverage coverage = new Coverage();
    coverage.add(
        Tensor.of(new double[] {0, 0, 0, 0}),
        Tensor.of(new double[] {1, 1, 1, 1}),
        Tensor.of(new double[] {0, 1, -0.1, 1.1}));
    coverage.add(
        Tensor.zeros(1), Tensor.ones(1), Tensor.full(0.5, dev.jformer.tensor.DType.FLOAT32, 1));
    assertEquals(0.6, coverage.share(), 1e-12);
    assertEquals(1, coverage.meanWidth(), 1e-12);
    assertThrows(
        DataException.class, () -> coverage.add(Tensor.zeros(2), Tensor.zeros(1), Tensor.zeros(2)));
  }
}
