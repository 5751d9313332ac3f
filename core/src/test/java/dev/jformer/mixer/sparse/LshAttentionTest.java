package dev.jformer.mixer.sparse;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class LshAttentionTest {
  private static LshAttention mixer(BlockContext context, int heads, int chunk, int rounds) {
    return (LshAttention)
        new LshAttention.Config(heads, chunk, rounds).build(context, new NoPosition());
  }

  /** Attention of a query to given keys of unit length, itself only where there is no other. */
  private static double[] attend(double[][] q, double[][] v, int t, boolean[] seen) {
    double[] logits = new double[q.length];
    for (int s = 0; s < q.length; s++) {
      double norm = 0;
      for (double value : q[s]) {
        norm += value * value;
      }
      for (int i = 0; i < q[s].length; i++) {
        logits[s] += q[t][i] * q[s][i] / Math.sqrt(norm + 1e-12) / Math.sqrt(q[s].length);
      }
      logits[s] = !seen[s] ? Double.NEGATIVE_INFINITY : s == t ? -1e5 : logits[s];
    }
    double[] p = Loops.softmax(logits);
    double[] result = new double[v[0].length];
    for (int s = 0; s < q.length; s++) {
      for (int i = 0; i < result.length; i++) {
        result[i] += p[s] * v[s][i];
      }
    }
    return result;
  }

  /** With one chunk there is one bucket: everything is seen, and nothing is random. */
  private record NaiveShared(int heads, boolean causal) implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      int width = x[0].length;
      int d = width / heads;
      double[][] qv = Loops.linear(x, weights, "qkv");
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        double[][] q = Loops.columns(qv, h * d, (h + 1) * d);
        double[][] v = Loops.columns(qv, width + h * d, width + (h + 1) * d);
        for (int t = 0; t < x.length; t++) {
          boolean[] seen = new boolean[x.length];
          Arrays.fill(seen, 0, causal ? t + 1 : x.length, true);
          System.arraycopy(attend(q, v, t, seen), 0, mixed[t], h * d, d);
        }
      }
      return Loops.linear(mixed, weights, "out");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void matchesTheDefinitionInASingleBucket(int rounds) {
    for (int[] shape : new int[][] {{1, 1, 2}, {2, 5, 4}, {1, 7, 3}}) {
      MixerChecks.matches(
          mixer(Sites.causal(shape[2]), shape[0], 8, rounds),
          new NaiveShared(shape[0], true),
          shape[1],
          shape[2]);
      MixerChecks.matches(
          mixer(Sites.bidirectional(shape[2]), shape[0], 8, rounds),
          new NaiveShared(shape[0], false),
          shape[1],
          shape[2]);
    }
  }

  /** A round with given buckets: sorted, cut into chunks, and looked at by hand. */
  @Test
  void sortsCutsAndLooksBackOneChunk() {
    int length = 22;
    int chunk = 4;
    for (boolean causal : new boolean[] {true, false}) {
      LshAttention mixer = mixer(causal ? Sites.causal(3) : Sites.bidirectional(3), 1, chunk, 1);
      Tensor q = Tensor.randn(1, 1, length, 3).to(DType.FLOAT64).requiresGrad(true);
      Tensor v = Tensor.randn(1, 1, length, 3).to(DType.FLOAT64);
      Tensor buckets = Tensor.randint(0, 5, 1, 1, length);
      long[] bucket = buckets.toLongs();
      Integer[] order = new Integer[length];
      Arrays.setAll(order, i -> i);
      Arrays.sort(order, Comparator.comparingLong(i -> bucket[i]));
      int[] place = new int[length];
      for (int i = 0; i < length; i++) {
        place[order[i]] = i;
      }
      double[][] queries = dev.jformer.testing.ModuleChecks.sequences(q.detach().squeeze(0))[0];
      double[][] values = dev.jformer.testing.ModuleChecks.sequences(v.squeeze(0))[0];
      double[][] expected = new double[length][];
      for (int t = 0; t < length; t++) {
        boolean[] seen = new boolean[length];
        for (int s = 0; s < length; s++) {
          int back = place[t] / chunk - place[s] / chunk;
          seen[s] = bucket[s] == bucket[t] && (back == 0 || back == 1) && (!causal || s <= t);
        }
        expected[t] = attend(queries, values, t, seen);
      }
      Tensor result =
          mixer.attend(
              new Attention.Heads(q, q, v), List.of(new LshAttention.Hashing(buckets, chunk)));
      assertClose(expected, result.squeeze(0).squeeze(0), 1e-9);
      result.sum().backward();
      assertTrue(q.grad().isFinite().all(), "gradients");
    }
  }

  /** Several rounds: the softmax over all pairs that any round found, each counted once. */
  @Test
  void pairsOfSeveralRoundsCountOnce() {
    int length = 53;
    int chunk = 4;
    for (boolean causal : new boolean[] {true, false}) {
      LshAttention mixer = mixer(causal ? Sites.causal(3) : Sites.bidirectional(3), 1, chunk, 3);
      Tensor q = Tensor.randn(1, 1, length, 3).to(DType.FLOAT64);
      Tensor v = Tensor.randn(1, 1, length, 3).to(DType.FLOAT64);
      boolean[][] seen = new boolean[length][length];
      List<LshAttention.Hashing> hashings = new ArrayList<>();
      for (int round = 0; round < 3; round++) {
        Tensor buckets = Tensor.randint(0, 9, 1, 1, length);
        hashings.add(new LshAttention.Hashing(buckets, chunk));
        long[] bucket = buckets.toLongs();
        Integer[] order = new Integer[length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, Comparator.comparingLong(i -> bucket[i]));
        int[] place = new int[length];
        for (int i = 0; i < length; i++) {
          place[order[i]] = i;
        }
        for (int t = 0; t < length; t++) {
          for (int s = 0; s < (causal ? t + 1 : length); s++) {
            int back = place[t] / chunk - place[s] / chunk;
            seen[t][s] |= bucket[s] == bucket[t] && (back == 0 || back == 1);
          }
        }
      }
      double[][] queries = dev.jformer.testing.ModuleChecks.sequences(q.squeeze(0))[0];
      double[][] values = dev.jformer.testing.ModuleChecks.sequences(v.squeeze(0))[0];
      double[][] expected = new double[length][];
      for (int t = 0; t < length; t++) {
        expected[t] = attend(queries, values, t, seen[t]);
      }
      Tensor result = mixer.attend(new Attention.Heads(q, q, v), hashings);
      assertClose(expected, result.squeeze(0).squeeze(0), 1e-9);
    }
  }

  /** Twice as many buckets as chunks, of each sequence without its padding. */
  @Test
  void thereAreTwoBucketsAChunk() {
    LshAttention mixer = mixer(Sites.bidirectional(32), 1, 8, 1);
    Tensor query = Tensor.randn(3, 1, 400, 32);
    boolean[] kept = new boolean[3 * 400];
    int[] lengths = {400, 80, 8};
    for (int b = 0; b < 3; b++) {
      Arrays.fill(kept, b * 400, b * 400 + lengths[b], true);
    }
    Tensor buckets = mixer.buckets(query, Tensor.of(kept, 3, 400)).get(0);
    for (int b = 0; b < 3; b++) {
      long[] own = buckets.select(0, b).narrow(1, 0, lengths[b]).toLongs();
      long count = Arrays.stream(own).distinct().count();
      double expected = lengths[b] <= 8 ? 1 : 2.0 * lengths[b] / 8;
      assertTrue(count <= expected && count > 0.75 * expected, count + " of " + expected);
      long padding = Arrays.stream(buckets.select(0, b).toLongs()).filter(i -> i < 0).count();
      assertEquals(400 - lengths[b], padding);
    }
  }

  /** Later tokens have no weight: no gradient flows from an output to them, whatever was drawn. */
  @Test
  void noWeightGoesToLaterTokens() {
    LshAttention mixer = mixer(Sites.causal(8), 2, 4, 2);
    for (int t : new int[] {0, 5, 30}) {
      Tensor x = Tensor.randn(2, 41, 8).requiresGrad(true);
      mixer.forward(x, null).narrow(1, 0, t + 1L).square().sum().backward();
      Tensor later = x.grad().narrow(1, t + 1L, 40L - t);
      assertEquals(0.0, later.abs().max().item(), "gradient of inputs after " + t);
    }
  }

  /** Equal vectors are always in one bucket, opposite ones never. */
  @Test
  void hashesByDirection() {
    LshAttention mixer = mixer(Sites.causal(8), 1, 4, 1);
    Tensor x = Tensor.randn(1, 1, 40, 8);
    Tensor both = Tensor.cat(2, x, x.mul(3), x.neg());
    Tensor buckets = mixer.buckets(both, null).get(0);
    assertTrue(buckets.narrow(2, 0, 40).sameAs(buckets.narrow(2, 40, 40)), "the same direction");
    assertTrue(
        buckets.narrow(2, 0, 40).eq(buckets.narrow(2, 80, 40)).not().all(), "the opposite one");
    assertTrue(buckets.max().itemLong() > 2, "several buckets");
  }

  @Test
  void paddingHasNoWeight() {
    MixerChecks.ignoresPadding(mixer(Sites.bidirectional(8), 2, 16, 2), 8);
    MixerChecks.ignoresPadding(mixer(Sites.causal(8), 2, 16, 2), 8);
    // In several buckets: padding gets no gradient.
    LshAttention mixer = mixer(Sites.bidirectional(8), 2, 4, 2);
    boolean[] kept = new boolean[33];
    for (int i = 0; i < kept.length; i++) {
      kept[i] = i % 5 != 2;
    }
    Tensor paddingMask = Tensor.of(kept, 1, 33);
    Tensor x = Tensor.randn(1, 33, 8).requiresGrad(true);
    mixer
        .forward(x, paddingMask)
        .maskedFill(paddingMask.not().unsqueeze(2), 0)
        .square()
        .sum()
        .backward();
    Tensor atPadding = x.grad().maskedFill(paddingMask.unsqueeze(2), 0);
    assertEquals(0.0, atPadding.abs().max().item(), "gradient of padded inputs");
  }

  @Test
  void drawsFromTheLibrarysGenerator() {
    LshAttention mixer = mixer(Sites.causal(8), 2, 4, 2);
    Tensor x = Tensor.randn(1, 60, 8);
    try (Mode mode = Autograd.noGrad()) {
      Random.seed(3);
      Tensor first = mixer.forward(x, null);
      Random.seed(3);
      assertTrue(first.sameAs(mixer.forward(x, null)), "the same seed");
    }
  }
}
