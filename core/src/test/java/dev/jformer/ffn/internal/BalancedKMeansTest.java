package dev.jformer.ffn.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class BalancedKMeansTest {
  @Test
  void findsGroupsThatPointInDifferentDirections() {
    SplittableRandom random = new SplittableRandom(1);
    float[] values = new float[40 * 6];
    for (int i = 0; i < 40; i++) {
      // Of different lengths: only directions count.
      double length = 0.1 + 10 * random.nextDouble();
      for (int d = 0; d < 6; d++) {
        double noise = 0.2 * (random.nextDouble() - 0.5);
        values[6 * i + d] = (float) (length * ((i % 4 == d ? 1 : 0) + noise));
      }
    }
    long[][] clusters = BalancedKMeans.cluster(Tensor.of(values, 40, 6), 4, 7, 1);
    for (long[] cluster : clusters) {
      assertEquals(10, cluster.length);
      assertEquals(1, Arrays.stream(cluster).map(i -> i % 4).distinct().count());
    }
  }

  /** Total squared distance of normalised vectors to their cluster's mean. */
  private static double spread(double[][] x, long[][] clusters) {
    double sum = 0;
    for (long[] cluster : clusters) {
      double[] mean = new double[x[0].length];
      for (long i : cluster) {
        for (int d = 0; d < mean.length; d++) {
          mean[d] += x[(int) i][d] / cluster.length;
        }
      }
      for (long i : cluster) {
        for (int d = 0; d < mean.length; d++) {
          sum += Math.pow(x[(int) i][d] - mean[d], 2);
        }
      }
    }
    return sum;
  }

  @Test
  void noSwapOfTwoMakesItBetterByMuch() {
    Random.seed(3);
    Tensor vectors = Tensor.randn(24, 3);
    double[] flat = vectors.toDoubles();
    double[][] x = new double[24][];
    for (int i = 0; i < 24; i++) {
      x[i] = Arrays.copyOfRange(flat, 3 * i, 3 * i + 3);
      double length = Math.sqrt(Arrays.stream(x[i]).map(v -> v * v).sum());
      x[i] = Arrays.stream(x[i]).map(v -> v / length).toArray();
    }
    long[][] clusters = BalancedKMeans.cluster(vectors, 3, 1, 1);
    long[] all = Arrays.stream(clusters).flatMapToLong(Arrays::stream).sorted().toArray();
    assertArrayEquals(java.util.stream.LongStream.range(0, 24).toArray(), all);
    double found = spread(x, clusters);
    SplittableRandom random = new SplittableRandom(5);
    double least = Double.POSITIVE_INFINITY;
    for (int draw = 0; draw < 2000; draw++) {
      int[] chosen = new int[24];
      for (int i = 0; i < 24; i++) {
        int j = random.nextInt(i + 1);
        chosen[i] = chosen[j];
        chosen[j] = i % 3;
      }
      least = Math.min(least, spread(x, BalancedKMeans.members(chosen, 3)));
    }
    assertTrue(found < least, found + " against " + least);
  }

  @Test
  void refusesSizesThatCannotBeEqual() {
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> BalancedKMeans.cluster(Tensor.randn(10, 2), 3, 1, 1));
    assertEquals("clusters is 3: expected a divisor of the number of vectors 10", e.getMessage());
  }

  /** More starts never end farther from the centres, and sometimes nearer. */
  @Test
  void theBestOfSeveralStartsIsTaken() {
    int better = 0;
    for (int seed = 0; seed < 8; seed++) {
      dev.jformer.tensor.Random.seed(seed);
      Tensor vectors = Tensor.randn(60, 4);
      double one = spread(vectors, BalancedKMeans.cluster(vectors, 6, seed, 1));
      double ten = spread(vectors, BalancedKMeans.cluster(vectors, 6, seed, 10));
      assertTrue(ten <= one + 1e-9, ten + " > " + one);
      better += ten < one - 1e-6 ? 1 : 0;
    }
    assertTrue(better > 2, better + " of 8");
  }

  /** The sum of squared distances from the clusters' means, of vectors of length 1. */
  private static double spread(Tensor vectors, long[][] clusters) {
    Tensor unit = vectors.div(vectors.square().sum(1, true).sqrt());
    double sum = 0;
    for (long[] members : clusters) {
      Tensor own = unit.indexSelect(0, Tensor.of(members, members.length));
      sum += own.sub(own.mean(0, true)).square().sum().item();
    }
    return sum;
  }
}
