package dev.jformer.construct;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.construct.SaturatedDecoder.Attention;
import dev.jformer.construct.SaturatedDecoder.FeedForward;
import dev.jformer.construct.SaturatedDecoder.Head;
import dev.jformer.construct.SaturatedDecoder.Sublayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** The decoder with its cache against a computation of the whole sequence, layer by layer. */
class SaturatedDecoderTest {
  private final SplittableRandom random = new SplittableRandom(1);

  /** Small integers, so that scores tie often. */
  private double[][] matrix(int rows, int columns) {
    return IntStream.range(0, rows)
        .mapToObj(
            i -> IntStream.range(0, columns).mapToDouble(j -> random.nextInt(3) - 1).toArray())
        .toArray(double[][]::new);
  }

  private static double dot(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
  }

  private static double[] of(double[][] m, double[] x) {
    return Arrays.stream(m).mapToDouble(row -> dot(row, x)).toArray();
  }

  private static double[] norm(double... v) {
    double mean = Arrays.stream(v).average().orElseThrow();
    double variance = Arrays.stream(v).map(x -> (x - mean) * (x - mean)).average().orElseThrow();
    return variance == 0
        ? new double[v.length]
        : Arrays.stream(v).map(x -> (x - mean) / Math.sqrt(variance)).toArray();
  }

  private static int naive(
      double[][] embedding, List<Sublayer> sublayers, double[][] output, int... tokens) {
    double[][] x =
        Arrays.stream(tokens).mapToObj(t -> embedding[t].clone()).toArray(double[][]::new);
    for (Sublayer sublayer : sublayers) {
      double[][] added = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        added[t] = new double[x[t].length];
        if (sublayer instanceof FeedForward f) {
          double[] units = of(f.units(), norm(of(f.in(), x[t])));
          for (int u = 0; u < units.length; u++) {
            units[u] = Math.max(0, units[u] + f.bias()[u]);
          }
          added[t] = of(f.out(), units);
        } else if (sublayer instanceof Attention a) {
          for (Head head : a.heads()) {
            double[] query = norm(of(head.query(), x[t]));
            double[] scores = new double[t + 1];
            for (int j = 0; j <= t; j++) {
              scores[j] = dot(query, norm(of(head.key(), x[j])));
            }
            double best = Arrays.stream(scores).max().orElseThrow();
            int[] chosen = IntStream.rangeClosed(0, t).filter(j -> scores[j] == best).toArray();
            double[] mean = new double[head.value().length];
            for (int j : chosen) {
              double[] value = norm(of(head.value(), x[j]));
              for (int i = 0; i < mean.length; i++) {
                mean[i] += value[i] / chosen.length;
              }
            }
            double[] out = of(head.out(), mean);
            for (int i = 0; i < out.length; i++) {
              added[t][i] += out[i];
            }
          }
        }
      }
      for (int t = 0; t < x.length; t++) {
        for (int i = 0; i < x[t].length; i++) {
          x[t][i] += added[t][i];
        }
      }
    }
    double[] logits = of(output, x[x.length - 1]);
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      best = logits[i] > logits[best] + 1e-9 ? i : best;
    }
    return best;
  }

  @Test
  void isTheTransformerWrittenOut() {
    for (int round = 0; round < 20; round++) {
      int width = 6;
      double[][] embedding = matrix(5, width);
      double[][] output = matrix(5, width);
      for (double[] row : output) { // no two logits are equal
        Arrays.setAll(row, i -> row[i] + random.nextDouble());
      }
      List<Sublayer> sublayers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        List<Head> heads = new ArrayList<>();
        for (int h = 0; h < 2; h++) {
          heads.add(
              new Head(matrix(3, width), matrix(3, width), matrix(2, width), matrix(width, 2)));
        }
        sublayers.add(new Attention(heads));
        sublayers.add(
            new FeedForward(matrix(4, width), matrix(7, 4), matrix(1, 7)[0], matrix(width, 7)));
      }
      int[] prompt = random.ints(1 + round % 7, 0, 5).toArray();
      int[] generated =
          new SaturatedDecoder(embedding, sublayers, output).generate(prompt, t -> false, 9);
      int[] text = prompt;
      for (int i = 0; i < 9; i++) {
        text = Arrays.copyOf(text, text.length + 1);
        text[text.length - 1] =
            naive(embedding, sublayers, output, Arrays.copyOf(text, text.length - 1));
      }
      assertArrayEquals(Arrays.copyOfRange(text, prompt.length, text.length), generated);
    }
  }

  @Test
  void stopsAtTheEndAndCountsWeights() {
    double[][] swap = {{0, 1}, {1, 0}};
    double[][] same = {{1, 0}, {0, 1}};
    SaturatedDecoder decoder = new SaturatedDecoder(same, List.of(), swap);
    assertArrayEquals(new int[] {1, 0, 1, 0}, decoder.generate(new int[] {0}, t -> false, 4));
    assertArrayEquals(new int[] {1, 0}, decoder.generate(new int[] {0}, t -> t == 0, 4));
    assertEquals(8, decoder.weights());
  }
}
