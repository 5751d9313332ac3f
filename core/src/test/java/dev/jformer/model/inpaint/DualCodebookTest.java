package dev.jformer.model.inpaint;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class DualCodebookTest {
  private static final int VISIBLE = 5;
  private static final int HIDDEN = 3;
  private static final int WIDTH = 4;
  private static final double DECAY = 0.9;
  private static final double EPSILON = 1e-5;

  private static DualCodebook codebook(double revival, DType dtype) {
    DualCodebook made =
        new DualCodebook(
            new Codec()
                .with(
                    c ->
                        c.codes(VISIBLE)
                            .hiddenCodes(HIDDEN)
                            .codeWidth(WIDTH)
                            .decay(DECAY)
                            .revival(revival)));
    for (Parameter parameter : made.parameters().values()) {
      parameter.replace(parameter.value().to(dtype).copy());
    }
    return made;
  }

  private static double[][] rows(Tensor matrix) {
    int columns = (int) matrix.size(1);
    double[] flat = matrix.contiguous().toDoubles();
    double[][] rows = new double[flat.length / columns][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = java.util.Arrays.copyOfRange(flat, i * columns, (i + 1) * columns);
    }
    return rows;
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
  }

  private static int nearest(double[] feature, double[][] vectors, boolean masked) {
    int best = masked ? VISIBLE : 0;
    for (int i = best; i < (masked ? VISIBLE + HIDDEN : VISIBLE); i++) {
      best = distance(feature, vectors[i]) < distance(feature, vectors[best]) ? i : best;
    }
    return best;
  }

  private static Tensor vectors(DualCodebook codebook) {
    return codebook.parameters().get("vectors").value();
  }

  /** Rounding can only matter where two vectors are about as near. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 63, 64, 65, 200})
  void aFeatureTakesTheNearestVectorOfItsHalf(int count) {
    for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64)) {
      DualCodebook codebook = codebook(0, dtype);
      Tensor features = Tensor.randn(count, WIDTH).to(dtype);
      boolean[] masked = new boolean[count];
      for (int i = 0; i < count; i++) {
        masked[i] = i % 3 == 1;
      }
      long[] found = codebook.nearest(features, Tensor.of(masked, count)).toLongs();
      double[][] all = rows(vectors(codebook));
      double[][] each = rows(features);
      for (int i = 0; i < count; i++) {
        int expected = nearest(each[i], all, masked[i]);
        assertEquals(masked[i], found[i] >= VISIBLE, "the half of feature " + i);
        double excess = distance(each[i], all[(int) found[i]]) - distance(each[i], all[expected]);
        assertEquals(0, excess, dtype == DType.FLOAT32 ? 1e-5 : 0, "feature " + i);
      }
      Tensor looked = codebook.lookUp(Tensor.of(found, count));
      assertClose(all[(int) found[0]], looked.select(0, 0), 0);
    }
  }

  /** Some updates against the formula in plain Java, with vectors that nothing is near to. */
  @Test
  void vectorsAreMovingAveragesOfTheFeaturesTheyReplace() {
    DualCodebook codebook = codebook(0, DType.FLOAT64);
    double[][] e = rows(vectors(codebook));
    double[][] sums = rows(vectors(codebook));
    double[] counts = new double[VISIBLE + HIDDEN];
    java.util.Arrays.fill(counts, 1);
    codebook.parameters().get("counts").copyFrom(Tensor.ones(counts.length));
    for (int update = 0; update < 6; update++) {
      int count = 4 + update;
      Tensor features = Tensor.randn(count, WIDTH).to(DType.FLOAT64).add(0.3 * update);
      boolean[] masked = new boolean[count];
      masked[1] = update < 4; // later no patch is hidden
      codebook.update(features, codebook.nearest(features, Tensor.of(masked, count)));

      double[][] f = rows(features);
      double[][] own = new double[counts.length][WIDTH];
      int[] members = new int[counts.length];
      for (int i = 0; i < count; i++) {
        int code = nearest(f[i], e, masked[i]);
        members[code]++;
        for (int d = 0; d < WIDTH; d++) {
          own[code][d] += f[i][d];
        }
      }
      double all = 0;
      for (int i = 0; i < counts.length; i++) {
        counts[i] = DECAY * counts[i] + (1 - DECAY) * members[i];
        all += counts[i];
      }
      for (int i = 0; i < counts.length; i++) {
        for (int d = 0; d < WIDTH; d++) {
          sums[i][d] = DECAY * sums[i][d] + (1 - DECAY) * own[i][d];
          e[i][d] = sums[i][d] / ((counts[i] + EPSILON) / (all + counts.length * EPSILON) * all);
        }
      }
      assertClose(e, vectors(codebook), 1e-9);
      assertClose(counts, codebook.counts(), 1e-12);
    }
  }

  /** A half without features stays as it is until it has some. */
  @Test
  void eachHalfStartsAtFeaturesOfTheFirstBatch() {
    DualCodebook codebook = codebook(0, DType.FLOAT32);
    Tensor before = vectors(codebook).copy();
    Tensor features = Tensor.randn(200, WIDTH).mul(0.1).add(10);
    Tensor hidden = Tensor.zeros(200).gt(0);
    codebook.update(features, codebook.nearest(features, hidden));
    double[] found = vectors(codebook).narrow(0, 0, VISIBLE).contiguous().toDoubles();
    for (double value : found) {
      assertEquals(10, value, 1.2);
    }
    Tensor second = vectors(codebook).narrow(0, VISIBLE, HIDDEN);
    assertClose(before.narrow(0, VISIBLE, HIDDEN).contiguous(), second.contiguous(), 0);
    Tensor all = hidden.not();
    codebook.update(features, codebook.nearest(features, all));
    for (double value : second.contiguous().toDoubles()) {
      assertEquals(10, value, 1.2);
    }
  }

  /** The features stand at 10 and 20; no vector is near, but all are in use after a while. */
  @Test
  void vectorsThatAreNotUsedAreReplacedByFeaturesOfTheirHalf() {
    DualCodebook codebook = codebook(0.5, DType.FLOAT32);
    Tensor features = Tensor.randn(40, WIDTH).mul(0.1).add(10);
    boolean[] masked = new boolean[40];
    for (int i = 20; i < 40; i++) {
      masked[i] = true;
    }
    Tensor hidden = Tensor.of(masked, 40);
    Tensor shifted = features.add(features).where(hidden.unsqueeze(1), features); // 10 and 20
    for (int update = 0; update < 40; update++) {
      codebook.update(shifted, codebook.nearest(shifted, hidden));
    }
    double[][] all = rows(vectors(codebook));
    for (int i = 0; i < all.length; i++) {
      assertEquals(i < VISIBLE ? 10 : 20, all[i][0], 1.5, "vector " + i);
    }
    List<Integer> used = new ArrayList<>();
    for (long code : codebook.nearest(shifted, hidden).toLongs()) {
      if (!used.contains((int) code)) {
        used.add((int) code);
      }
    }
    assertTrue(used.size() > 5, "" + used);
  }
}
