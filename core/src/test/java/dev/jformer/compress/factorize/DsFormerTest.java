package dev.jformer.compress.factorize;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Compression;
import dev.jformer.compress.quantize.WeightInt8;
import dev.jformer.config.Configs;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.factorized.DenseSparseLinear;
import dev.jformer.nn.factorized.LowRankLinear;
import dev.jformer.nn.factorized.StraightThroughFactorizer;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * DSFormer's factorization (arXiv 2312.13211) and the surgery, beside exhaustive search and SVD.
 */
@ExtendWith(Scoped.class)
class DsFormerTest {
  private static final Tensor IDS =
      Tensor.of(new long[] {3, 1, 4, 1, 5, 9, 2, 6, 5, 3}, 2, 5).keep();

  @TempDir private Path folder;

  private static CausalLm language() {
    Random.seed(2);
    CausalLm model =
        (CausalLm)
            Configs.parse(
                    "{'model':'causal-lm','layers':2,'width':64,'vocab':80,'length':8,'mixer':{'heads':2}}"
                        .replace('\'', '"'),
                    Model.Config.class)
                .build();
    model.train(false);
    return model;
  }

  private static double[][] drawn(int rows, int width, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] all = new double[rows][width];
    for (double[] row : all) {
      Arrays.setAll(row, i -> random.nextDouble() * 2 - 1);
    }
    return all;
  }

  private static double[][] unit(double[][] rows) {
    for (double[] row : rows) {
      double length = Math.sqrt(MatchingPursuit.dot(row, row));
      Arrays.setAll(row, i -> row[i] / length);
    }
    return rows;
  }

  // ---- Pursuit

  /**
   * Least squares over some vectors by normal equations and elimination; also gives what is left.
   */
  private static double[] fit(double[][] basis, int[] chosen, double[] x) {
    int n = chosen.length;
    double[][] a = new double[n][n + 1];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        a[i][j] = MatchingPursuit.dot(basis[chosen[i]], basis[chosen[j]]);
      }
      a[i][n] = MatchingPursuit.dot(basis[chosen[i]], x);
    }
    for (int p = 0; p < n; p++) {
      for (int i = 0; i < n; i++) {
        double times = i == p ? 0 : a[i][p] / a[p][p];
        for (int j = p; j <= n && i != p; j++) {
          a[i][j] -= times * a[p][j];
        }
      }
    }
    double[] result = new double[n];
    Arrays.setAll(result, i -> a[i][n] / a[i][i]);
    return result;
  }

  private static double left(double[][] basis, int[] chosen, double[] coefficients, double[] x) {
    double[] rest = x.clone();
    for (int i = 0; i < chosen.length; i++) {
      for (int j = 0; j < rest.length; j++) {
        rest[j] -= coefficients[i] * basis[chosen[i]][j];
      }
    }
    return MatchingPursuit.dot(rest, rest);
  }

  @Test
  void oneVectorIsTheBestOfAll() {
    double[][] basis = unit(drawn(7, 5, 1));
    MatchingPursuit pursuit = new MatchingPursuit(basis, 1);
    for (double[] x : drawn(50, 5, 2)) {
      int[] taken = new int[1];
      double[] coefficients = new double[1];
      assertEquals(1, pursuit.code(x, taken, coefficients));
      double best = Double.MAX_VALUE;
      for (int k = 0; k < 7; k++) {
        int[] one = {k};
        best = Math.min(best, left(basis, one, fit(basis, one, x), x));
      }
      assertEquals(best, left(basis, taken, coefficients, x), 1e-12);
    }
  }

  @Test
  void overOrthogonalVectorsItIsTheBestChoiceOfAll() {
    double[][] basis = unit(drawn(5, 5, 3));
    for (int i = 0; i < 5; i++) { // Gram-Schmidt
      for (int j = 0; j < i; j++) {
        double along = MatchingPursuit.dot(basis[i], basis[j]);
        for (int c = 0; c < 5; c++) {
          basis[i][c] -= along * basis[j][c];
        }
      }
      unit(new double[][] {basis[i]});
    }
    MatchingPursuit pursuit = new MatchingPursuit(basis, 2);
    for (double[] x : drawn(50, 5, 4)) {
      int[] taken = new int[2];
      double[] coefficients = new double[2];
      assertEquals(2, pursuit.code(x, taken, coefficients));
      double best = Double.MAX_VALUE;
      for (int a = 0; a < 5; a++) {
        for (int b = 0; b < a; b++) {
          int[] two = {a, b};
          best = Math.min(best, left(basis, two, fit(basis, two, x), x));
        }
      }
      assertEquals(best, left(basis, taken, coefficients, x), 1e-12);
    }
  }

  @Test
  void followsTheDefinitionRoundByRound() {
    double[][] basis = unit(drawn(9, 6, 5));
    MatchingPursuit pursuit = new MatchingPursuit(basis, 4);
    for (double[] x : drawn(50, 6, 6)) {
      List<Integer> chosen = new ArrayList<>();
      double[] coefficients = {};
      for (int round = 0; round < 4; round++) {
        double[] rest = x.clone();
        for (int i = 0; i < chosen.size(); i++) {
          for (int j = 0; j < 6; j++) {
            rest[j] -= coefficients[i] * basis[chosen.get(i)][j];
          }
        }
        int best = 0;
        for (int k = 1; k < 9; k++) {
          if (Math.abs(MatchingPursuit.dot(basis[k], rest))
              > Math.abs(MatchingPursuit.dot(basis[best], rest))) {
            best = k;
          }
        }
        chosen.add(best);
        coefficients = fit(basis, chosen.stream().mapToInt(i -> i).toArray(), x);
      }
      int[] taken = new int[4];
      double[] values = new double[4];
      assertEquals(4, pursuit.code(x, taken, values));
      assertEquals(chosen, Arrays.stream(taken).boxed().toList());
      assertArrayEquals(coefficients, values, 1e-9);
    }
  }

  @Test
  void whatAddsNothingIsNotTaken() {
    double[][] basis = {{1, 0}, {1, 0}, {0, 0}, {0, 1}};
    MatchingPursuit pursuit = new MatchingPursuit(basis, 3);
    int[] taken = new int[3];
    double[] values = new double[3];
    assertEquals(2, pursuit.code(new double[] {3, 2}, taken, values));
    assertArrayEquals(new double[] {3, 2, 0}, values, 1e-12);
    assertEquals(0, pursuit.code(new double[] {0, 0}, taken, values));
  }

  // ---- Factors

  @Test
  void noTurnMakesTheErrorLargerAndSeedsDecide() {
    double[][] rows = drawn(60, 8, 7);
    double[][] start = unit(drawn(8, 8, 8));
    double before = Double.MAX_VALUE;
    for (int turns = 0; turns < 8; turns++) {
      DenseSparseFactors factors = DenseSparseFactors.of(rows, start, 12, 3, turns, 1);
      assertTrue(factors.error() <= before * (1 + 1e-12), turns + " turns: " + factors.error());
      before = factors.error();
      double[] all = new double[60 * 12];
      boolean[] kept = new boolean[60 * 12];
      factors.write(all, kept, 0);
      double error = 0;
      for (int r = 0; r < 60; r++) {
        double[] rest = rows[r].clone();
        int count = 0;
        for (int k = 0; k < 12; k++) {
          count += kept[r * 12 + k] ? 1 : 0;
          assertTrue(kept[r * 12 + k] || all[r * 12 + k] == 0);
          for (int c = 0; c < 8; c++) {
            rest[c] -= all[r * 12 + k] * factors.basis()[k][c];
          }
        }
        assertEquals(3, count);
        error += MatchingPursuit.dot(rest, rest);
      }
      assertEquals(error, factors.error(), 1e-9);
    }
    double again = DenseSparseFactors.of(rows, start, 12, 3, 7, 1).error();
    assertEquals(before, again, 0);
    assertTrue(before != DenseSparseFactors.of(rows, start, 12, 3, 7, 2).error());
  }

  @Test
  void findsFactorsThatAreThere() {
    double[][] hidden = unit(drawn(6, 10, 9));
    SplittableRandom random = new SplittableRandom(10);
    double[][] rows = new double[200][10];
    for (double[] row : rows) {
      int a = random.nextInt(6);
      int b = (a + 1 + random.nextInt(5)) % 6;
      double first = 1 + random.nextDouble();
      double second = -1 - random.nextDouble();
      Arrays.setAll(row, c -> first * hidden[a][c] + second * hidden[b][c]);
    }
    double all = Arrays.stream(rows).mapToDouble(r -> MatchingPursuit.dot(r, r)).sum();
    double error = DenseSparseFactors.of(rows, new double[0][], 8, 2, 60, 1).error();
    assertTrue(error < 0.02 * all, error / all + " is left");
  }

  // ---- Models

  @Test
  void bothAreFoundByTheirNames() {
    assertEquals(
        new DsFormer(2.8),
        Configs.parse("{\"type\":\"dsformer\",\"factor\":2.8}", Compression.class));
    assertEquals(
        new LowRank(3), Configs.parse("{\"type\":\"low-rank\",\"factor\":3}", Compression.class));
    assertThrows(
        RuntimeException.class,
        () -> Configs.parse("{\"type\":\"dsformer\",\"factor\":0.5}", Compression.class));
    assertThrows(IllegalArgumentException.class, () -> new LowRank(1));
    assertThrows(
        IllegalArgumentException.class, () -> new DsFormer(2, 32, 48, -1, 1, DsFormer.Form.STORED));
  }

  @ParameterizedTest
  @ValueSource(doubles = {2, 2.8, 3.57})
  void isNearerThanLowRankOnMatricesOfFullRank(double factor) {
    CausalLm model = language();
    Model sparse = new DsFormer(factor).apply(model, null);
    Model low = new LowRank(factor).apply(model, null);
    double[] errors = new double[2];
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (sparse.modules().get(name) instanceof DenseSparseLinear layer) {
                Tensor weight = ((Linear) module).weight().value().detach();
                double all = weight.norm().item();
                errors[0] += weight.sub(layer.weight()).norm().item() / all;
                LowRankLinear other = (LowRankLinear) low.modules().get(name);
                Tensor product = other.up().value().matmul(other.down().value());
                errors[1] += weight.sub(product).norm().item() / all;
              }
            });
    assertTrue(errors[0] < errors[1], Arrays.toString(errors));
  }

  /** By Eckart and Young the rest of the squares is that of the singular values left out. */
  @Test
  void lowRankIsTheNearestOfItsRank() {
    CausalLm model = language();
    Model low = new LowRank(2).apply(model, null);
    low.modules()
        .forEach(
            (name, module) -> {
              if (module instanceof LowRankLinear layer) {
                Tensor w =
                    ((Linear) model.modules().get(name))
                        .weight()
                        .value()
                        .detach()
                        .to(DType.FLOAT64);
                double[] values =
                    dev.jformer.tensor.Operator.named("aten::linalg_svdvals").call(w).toDoubles();
                double rest = 0;
                for (int i = (int) layer.rank(); i < values.length; i++) {
                  rest += values[i] * values[i];
                }
                Tensor product = layer.up().value().matmul(layer.down().value()).to(DType.FLOAT64);
                double error = w.sub(product).square().sum().item();
                assertEquals(rest, error, 1e-5 * rest, name);
              }
            });
  }

  @Test
  void theSourceIsUntouchedAndTheResultReloadsToTheBit() throws IOException {
    CausalLm model = language();
    Tensor logits = model.logits(IDS).detach().copy();
    int at = 0;
    for (Compression method :
        List.of(new DsFormer(), new DsFormer(2, DsFormer.Form.TRAINING), new LowRank())) {
      List<Double> progress = new ArrayList<>();
      Tensor random = Random.state();
      CausalLm made = (CausalLm) method.apply(model, null, progress::add);
      assertSame(random, Random.state(), "random state");
      assertSame(logits, model.logits(IDS), "the source's logits");
      assertFalse(made.isTraining());
      assertEquals(1.0, progress.get(progress.size() - 1));
      double apart = made.logits(IDS).sub(logits).norm().item() / logits.norm().item();
      assertTrue(apart > 0 && apart < 0.7, method + ": " + apart);
      Path place = folder.resolve("" + at++);
      Models.save(made, place);
      CausalLm loaded = (CausalLm) Models.load(place);
      assertEquals(made.config(), loaded.config());
      assertSame(made.logits(IDS), loaded.logits(IDS), "logits");
    }
  }

  @Test
  void filesAreAsSmallAsIsSaid() throws IOException {
    CausalLm model = language();
    Model half = new DsFormer(2).apply(model, null);
    long matrices = 0;
    for (var module : half.modules().values()) {
      if (module instanceof DenseSparseLinear layer) {
        matrices += layer.format().in() * layer.format().out();
      }
    }
    Models.save(model, folder.resolve("plain"));
    Models.save(half, folder.resolve("half"));
    Models.save(new WeightInt8().apply(half, null), folder.resolve("bytes"));
    long plain = Files.size(folder.resolve("plain").resolve("model.safetensors"));
    long small = Files.size(folder.resolve("half").resolve("model.safetensors"));
    long bytes = Files.size(folder.resolve("bytes").resolve("model.safetensors"));
    long headers = 8 << 10;
    assertTrue(small <= plain - 4 * matrices / 2 + headers, plain + " " + small);
    assertTrue(bytes < 0.55 * small, small + " " + bytes);
  }

  @Test
  void stacksWithEightBits() throws IOException {
    CausalLm model = language();
    CausalLm half = (CausalLm) new DsFormer(2).apply(model, null);
    CausalLm both = (CausalLm) new WeightInt8().apply(half, null);
    Tensor logits = half.logits(IDS).detach();
    double apart = both.logits(IDS).sub(logits).norm().item() / logits.norm().item();
    assertTrue(apart > 0 && apart < 0.05, "" + apart);
    Models.save(both, folder);
    assertSame(both.logits(IDS), ((CausalLm) Models.load(folder)).logits(IDS), "logits");
    assertThrows(IllegalArgumentException.class, () -> new WeightInt8().apply(both, null));
    var error =
        assertThrows(IllegalArgumentException.class, () -> new DsFormer(2).apply(half, null));
    assertTrue(error.getMessage().contains("already compressed by dsformer"), error.getMessage());
  }

  @Test
  void aTaskMayChooseOtherCoefficientsAndThenTheModelIsFolded() {
    CausalLm model = language();
    CausalLm training = (CausalLm) new DsFormer(2, DsFormer.Form.TRAINING).apply(model, null);
    CausalLm stored = (CausalLm) new DsFormer(2).apply(model, null);
    assertClose(stored.logits(IDS), training.logits(IDS), 1e-4);

    training.train(true);
    Tensor loss =
        Functional.crossEntropy(training.logits(IDS).reshape(-1, 80), IDS.reshape(-1), -1, 0);
    loss.backward();
    int[] changed = new int[1];
    training
        .modules()
        .forEach(
            (name, module) -> {
              if (module instanceof StraightThroughFactorizer layer) {
                Tensor all = layer.coefficients().value();
                Tensor before = layer.used();
                Tensor step = all.grad().mul(-0.5 * all.norm().item() / all.grad().norm().item());
                all.detach().add_(step);
                changed[0] += layer.used().sameAs(before) ? 0 : 1;
              }
            });
    assertTrue(changed[0] > 0, "no place was taken by another");
    training.train(false);
    CausalLm folded = (CausalLm) new DsFormer(2).apply(training, null);
    assertEquals(stored.config(), folded.config());
    assertClose(training.logits(IDS), folded.logits(IDS), 1e-4);
  }

  @Test
  void refusesWhatIsNotFiniteAndLayersThatAreTooSmall() {
    CausalLm model = language();
    var small =
        assertThrows(IllegalArgumentException.class, () -> new DsFormer(60).apply(model, null));
    assertTrue(small.getMessage().contains("too small"), small.getMessage());
    model.parameters().get("blocks.1.ffn.up.weight").value().detach().fill_(Double.NaN);
    for (Compression method : List.of(new DsFormer(), new LowRank())) {
      var error = assertThrows(IllegalArgumentException.class, () -> method.apply(model, null));
      assertTrue(error.getMessage().contains("blocks.1.ffn.up"), error.getMessage());
    }
  }
}
