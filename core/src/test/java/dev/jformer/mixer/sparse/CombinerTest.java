package dev.jformer.mixer.sparse;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class CombinerTest {
  private static TokenMixer mixer(BlockContext context, Combiner.Config config) {
    return config.build(context, new NoPosition());
  }

  /**
   * The conditional expectation itself, a query at a time: which keys it sees directly and which
   * regions there are is written out for each, and every key has its weight.
   */
  private record NaiveCombiner(Combiner.Config config, boolean causal, int columns)
      implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      int width = x[0].length;
      int d = width / config.heads();
      double[][] qkv = Loops.linear(x, weights, "qkv");
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < config.heads(); h++) {
        double[][] q = Loops.columns(qkv, h * d, (h + 1) * d);
        double[][] k = Loops.columns(qkv, width + h * d, width + (h + 1) * d);
        for (int t = 0; t < x.length; t++) {
          double[] p = weights(q, k, t);
          for (int s = 0; s < x.length; s++) {
            for (int i = 0; i < d; i++) {
              mixed[t][h * d + i] += p[s] * qkv[s][2 * width + h * d + i];
            }
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }

    private double[] weights(double[][] q, double[][] k, int t) {
      List<Integer> direct = new ArrayList<>();
      List<List<Integer>> regions = new ArrayList<>();
      factorise(t, q.length, direct, regions);
      regions.removeIf(List::isEmpty);
      double scale = 1 / Math.sqrt(q[0].length);
      double[] logits = new double[direct.size() + regions.size()];
      for (int i = 0; i < direct.size(); i++) {
        logits[i] = scale * dot(q[t], k[direct.get(i)]);
      }
      for (int r = 0; r < regions.size(); r++) {
        logits[direct.size() + r] = scale * dot(q[t], pool(k, regions.get(r)));
      }
      double[] share = Loops.softmax(logits);
      double[] p = new double[q.length];
      for (int i = 0; i < direct.size(); i++) {
        p[direct.get(i)] += share[i];
      }
      for (int r = 0; r < regions.size(); r++) {
        List<Integer> region = regions.get(r);
        double[] query = pool(q, region);
        double[] inside =
            Loops.softmax(region.stream().mapToDouble(j -> scale * dot(query, k[j])).toArray());
        for (int i = 0; i < inside.length; i++) {
          p[region.get(i)] += share[direct.size() + r] * inside[i];
        }
      }
      return p;
    }

    private double[] pool(double[][] x, List<Integer> region) {
      double[] pooled = new double[x[0].length];
      for (int c = 0; c < pooled.length; c++) {
        int channel = c;
        var values = region.stream().mapToDouble(j -> x[j][channel]);
        pooled[c] =
            config.pool() == Combiner.Pool.MAX
                ? values.max().getAsDouble()
                : values.average().getAsDouble();
      }
      return pooled;
    }

    private static double dot(double[] a, double[] b) {
      double sum = 0;
      for (int i = 0; i < a.length; i++) {
        sum += a[i] * b[i];
      }
      return sum;
    }

    private void factorise(int t, int length, List<Integer> direct, List<List<Integer>> regions) {
      switch (config.kind()) {
        case FIXED -> blocks(t, length, direct, regions);
        case LOG_SPARSE -> tree(t, length, direct, regions);
        case AXIAL -> axes(t, length, direct, regions);
      }
    }

    private void blocks(int t, int length, List<Integer> direct, List<List<Integer>> regions) {
      int size = columns > 0 ? columns : (int) Math.ceil(Math.sqrt(length));
      for (int b = 0; b * size < length; b++) {
        List<Integer> block = new ArrayList<>();
        for (int j = b * size; j < Math.min(length, (b + 1) * size); j++) {
          block.add(j);
        }
        if (b == t / size) {
          block.stream().filter(j -> !causal || j <= t).forEach(direct::add);
        } else if (!causal || b < t / size) {
          regions.add(block);
        }
      }
    }

    private void tree(int t, int length, List<Integer> direct, List<List<Integer>> regions) {
      int leaf = config.block();
      for (int j = t / leaf * leaf; j < Math.min(length, (t / leaf + 1) * leaf); j++) {
        if (!causal || j <= t) {
          direct.add(j);
        }
      }
      for (int size = leaf; size < length; size *= 2) {
        int sibling = (t / size) ^ 1;
        if (causal && sibling > t / size) {
          continue;
        }
        List<Integer> region = new ArrayList<>();
        for (int j = sibling * size; j < Math.min(length, (sibling + 1) * size); j++) {
          region.add(j);
        }
        regions.add(region);
      }
    }

    private void axes(int t, int length, List<Integer> direct, List<List<Integer>> regions) {
      int wide = columns > 0 ? columns : (int) Math.ceil(Math.sqrt(length));
      for (int c = 0; c < wide; c++) {
        List<Integer> column = new ArrayList<>();
        for (int j = c; j < length; j += wide) {
          if (!causal || j <= t) {
            column.add(j);
          }
        }
        if (c == t % wide) {
          direct.addAll(column);
        } else {
          regions.add(column);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void matchesTheDefinition(Combiner.Kind kind) {
    for (Combiner.Pool pool : Combiner.Pool.values()) {
      for (int[] shape : new int[][] {{1, 1, 2, 0}, {2, 7, 4, 3}, {1, 13, 3, 2}, {1, 9, 2, 0}}) {
        boolean automatic = shape[3] == 0 && kind != Combiner.Kind.LOG_SPARSE;
        int block = automatic ? 0 : Math.max(1, shape[3]);
        Combiner.Config config = new Combiner.Config(shape[0], kind, pool, block);
        for (boolean causal : new boolean[] {true, false}) {
          BlockContext context = causal ? Sites.causal(shape[2]) : Sites.bidirectional(shape[2]);
          MixerChecks.matches(
              mixer(context, config), new NaiveCombiner(config, causal, block), shape[1], shape[2]);
        }
      }
    }
  }

  /** A picture's columns are its own: six tokens in two rows have three columns. */
  @Test
  void axialKnowsThePicture() {
    BlockContext picture =
        new BlockContext(
            4, 0, 2, 6, false, true, 0, new BlockContext.Init(), new Linear.Config(), 2);
    Combiner.Config config = new Combiner.Config(2, Combiner.Kind.AXIAL, Combiner.Pool.MAX, 0);
    MixerChecks.matches(mixer(picture, config), new NaiveCombiner(config, false, 3), 6, 4);
  }

  @ParameterizedTest
  @EnumSource
  void isCausalAndIgnoresPadding(Combiner.Kind kind) {
    for (Combiner.Pool pool : Combiner.Pool.values()) {
      for (int block : new int[] {0, 2, 5}) {
        Combiner.Config config = new Combiner.Config(2, kind, pool, block);
        MixerChecks.causal(mixer(Sites.causal(8), config), 8);
      }
      Combiner.Config config = new Combiner.Config(2, kind, pool, 3);
      // Where a sequence's end is padding, its blocks are the same ones.
      MixerChecks.ignoresPadding(mixer(Sites.causal(8), config), 8);
      MixerChecks.ignoresPadding(mixer(Sites.bidirectional(8), config), 8);
    }
  }

  /** The invariant: weights of a query sum to one, and every allowed pair has some. */
  @ParameterizedTest
  @EnumSource
  void isFullAttention(Combiner.Kind kind) {
    for (int length : new int[] {1, 10, 37}) {
      for (boolean causal : new boolean[] {true, false}) {
        BlockContext context = causal ? Sites.causal(8) : Sites.bidirectional(8);
        TokenMixer mixer = mixer(context, new Combiner.Config(2, kind, Combiner.Pool.MAX, 4));
        try (Mode mode = Autograd.noGrad()) {
          Tensor weights = mixer.weights(Tensor.randn(2, length, 8), null);
          double[] ones = new double[2 * 2 * length];
          Arrays.fill(ones, 1);
          assertClose(ones, weights.sum(3, false), 1e-5);
          double positive = weights.gt(0).to(dev.jformer.tensor.DType.FLOAT64).sum().item();
          double pairs = causal ? length * (length + 1) / 2.0 : (double) length * length;
          assertEquals(4 * pairs, positive, "pairs with a weight");
          if (causal) {
            assertTrue(weights.triu(1).eq(0.0).all(), "no weight for later tokens");
          }
        }
      }
    }
  }
}
