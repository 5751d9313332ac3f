package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ProbesTest {
  private static double[][] rows(int count, int width, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] rows = new double[count][width];
    for (double[] row : rows) {
      Arrays.setAll(row, i -> random.nextGaussian());
    }
    return rows;
  }

  private static Tensor tensor(double[][] rows) {
    double[] all = Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    return Tensor.of(all, rows.length, rows[0].length);
  }

  private static int[] labels(double[][] rows) {
    return Arrays.stream(rows)
        .mapToInt(r -> (r[0] + 0.5 * r[1] > 0 ? 1 : 0) + (r[1] > 0.8 ? 1 : 0))
        .toArray();
  }

  /** The neighbours of plain loops, also over more test rows than are asked together. */
  @Test
  void nearestNeighboursEqualLoops() {
    double[][] known = rows(90, 5, 1);
    double[][] asked = rows(300, 5, 2);
    int[] labels = labels(known);
    int[] right = labels(asked);
    for (int k : new int[] {1, 2, 7, 90}) {
      int hits = 0;
      for (int i = 0; i < asked.length; i++) {
        double[] row = asked[i];
        int[] votes = new int[3];
        IntStream.range(0, known.length)
            .boxed()
            .sorted(Comparator.comparingDouble(j -> -cosine(row, known[j])))
            .limit(k)
            .forEach(j -> votes[labels[j]]++);
        int best = 0;
        for (int c = 1; c < 3; c++) {
          best = votes[c] > votes[best] ? c : best;
        }
        hits += best == right[i] ? 1 : 0;
      }
      double expected = (double) hits / asked.length;
      assertEquals(
          expected,
          new NearestNeighbours(k).accuracy(tensor(known), labels, tensor(asked), right),
          1e-12,
          "k = " + k);
    }
  }

  private static double cosine(double[] a, double[] b) {
    double ab = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      ab += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return ab / Math.sqrt(aa * bb);
  }

  /** At the minimum the gradient of the penalised loss, in plain loops, is zero. */
  @Test
  void theLinearProbeIsAtTheMinimum() {
    for (int count : new int[] {40, 129, 200}) {
      double[][] x = rows(count, 6, count);
      for (double[] row : x) {
        row[5] = 1;
      }
      int[] labels = labels(x);
      double decay = 0.01;
      double[] w = new LinearProbe(decay, 2000).fit(tensor(x), labels, 3).toDoubles();
      double[][] gradient = new double[6][3];
      for (int i = 0; i < count; i++) {
        double[] logits = new double[3];
        for (int c = 0; c < 3; c++) {
          for (int d = 0; d < 6; d++) {
            logits[c] += x[i][d] * w[d * 3 + c];
          }
        }
        double[] p = Loops.softmax(logits);
        for (int c = 0; c < 3; c++) {
          for (int d = 0; d < 6; d++) {
            gradient[d][c] += (p[c] - (labels[i] == c ? 1 : 0)) * x[i][d] / count;
          }
        }
      }
      for (int d = 0; d < 6; d++) {
        for (int c = 0; c < 3; c++) {
          assertEquals(0, gradient[d][c] + decay * w[d * 3 + c], 1e-8);
        }
      }
    }
  }

  @Test
  void aLinearProbeSeesWhatIsLinear() {
    double[][] known = rows(400, 4, 3);
    double[][] asked = rows(200, 4, 4);
    int[] plain = Arrays.stream(known).mapToInt(r -> r[2] > 0 ? 1 : 0).toArray();
    int[] plainAsked = Arrays.stream(asked).mapToInt(r -> r[2] > 0 ? 1 : 0).toArray();
    double right = new LinearProbe().accuracy(tensor(known), plain, tensor(asked), plainAsked);
    assertTrue(right > 0.97, "" + right);
    int[] xor = Arrays.stream(known).mapToInt(r -> r[0] * r[1] > 0 ? 1 : 0).toArray();
    int[] xorAsked = Arrays.stream(asked).mapToInt(r -> r[0] * r[1] > 0 ? 1 : 0).toArray();
    double wrong = new LinearProbe().accuracy(tensor(known), xor, tensor(asked), xorAsked);
    assertTrue(wrong < 0.65, "" + wrong);
  }

  /**
   * Features are standardised, so their scale and place do not matter; a constant one is ignored.
   */
  @Test
  void scaleAndPlaceDoNotMatter() {
    Random.seed(1);
    double[][] known = rows(100, 4, 5);
    double[][] asked = rows(100, 4, 6);
    int[] labels = labels(known);
    int[] right = labels(asked);
    LinearProbe probe = new LinearProbe();
    double plain = probe.accuracy(tensor(known), labels, tensor(asked), right);
    Tensor scale = Tensor.of(new double[] {1e-3, 5, 100, 1}, 4);
    Tensor moved = tensor(known).mul(scale).add(7);
    Tensor movedAsked = tensor(asked).mul(scale).add(7);
    assertEquals(plain, probe.accuracy(moved, labels, movedAsked, right));
    Tensor constant = Tensor.full(3.0, DType.FLOAT64, 100, 1);
    assertEquals(
        plain,
        probe.accuracy(
            Tensor.cat(1, moved, constant), labels, Tensor.cat(1, movedAsked, constant), right));
  }

  @Test
  void refusesRowsWithoutLabels() {
    Tensor x = tensor(rows(5, 2, 1));
    assertThrows(
        IllegalArgumentException.class,
        () -> new LinearProbe().accuracy(x, new int[4], x, new int[5]));
    assertThrows(
        IllegalArgumentException.class,
        () -> new NearestNeighbours(6).accuracy(x, new int[5], x, new int[5]));
    assertThrows(IllegalArgumentException.class, () -> new NearestNeighbours(0));
    assertThrows(IllegalArgumentException.class, () -> new LinearProbe(0, 1));
  }
}
