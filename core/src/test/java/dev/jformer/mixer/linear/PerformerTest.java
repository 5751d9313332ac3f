package dev.jformer.mixer.linear;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionMask;
import dev.jformer.nn.BlockContext;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PerformerTest {
  private static Performer mixer(BlockContext context, Performer.Config config) {
    return (Performer) config.build(context, new NoPosition());
  }

  /** Random features as in arXiv 2009.14794, without anything to keep them small. */
  private record NaivePerformer(int heads, boolean causal) implements Naive {
    @Override
    public double[][] forward(double[][] x, Weights weights) {
      int width = x[0].length;
      int d = width / heads;
      double[][] directions = weights.matrix("directions");
      double[][] qkv = Loops.linear(x, weights, "qkv");
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        for (int t = 0; t < x.length; t++) {
          double[] query = features(qkv[t], h * d, d, directions);
          double total = 0;
          double[] sum = new double[d];
          for (int s = 0; s < (causal ? t + 1 : x.length); s++) {
            double[] key = features(qkv[s], width + h * d, d, directions);
            double product = 0;
            for (int m = 0; m < key.length; m++) {
              product += query[m] * key[m];
            }
            total += product;
            for (int c = 0; c < d; c++) {
              sum[c] += product * qkv[s][2 * width + h * d + c];
            }
          }
          for (int c = 0; c < d; c++) {
            mixed[t][h * d + c] = sum[c] / total;
          }
        }
      }
      return Loops.linear(mixed, weights, "out");
    }

    private static double[] features(double[] x, int from, int d, double[][] directions) {
      double[] features = new double[directions.length];
      for (int m = 0; m < features.length; m++) {
        for (int i = 0; i < d; i++) {
          double value = x[from + i] / Math.pow(d, 0.25);
          features[m] += directions[m][i] * value - value * value / 2;
        }
        features[m] = Math.exp(features[m]) / Math.sqrt(features.length);
      }
      return features;
    }
  }

  @Test
  void kernelIsTheProductOfFeatures() {
    Performer performer = mixer(Sites.causal(3), new Performer.Config(1, 200, 0));
    double[][] directions = Weights.of(performer).matrix("directions");
    Tensor q = Tensor.of(new double[] {0.5, -1, 2, 0, 0, 0}, 2, 3);
    Tensor k = Tensor.of(new double[] {1, 0.25, 0.5, 3, -1, 0}, 2, 3);
    double[] kernel = performer.kernel(q, k).toDoubles();
    for (int i = 0; i < 2; i++) {
      double[] query = NaivePerformer.features(q.toDoubles(), 3 * i, 3, directions);
      double[] key = NaivePerformer.features(k.toDoubles(), 3 * i, 3, directions);
      double product = 0;
      for (int m = 0; m < query.length; m++) {
        product += query[m] * key[m];
      }
      assertEquals(product, kernel[i], 1e-9);
    }
    double softmax = Math.exp((0.5 - 0.25 + 1) / Math.sqrt(3));
    assertEquals(softmax, kernel[0], 0.5 * softmax, "an estimate of softmax's kernel");
  }

  @Test
  void matchesTheDefinition() {
    for (int[] shape : new int[][] {{1, 1, 2}, {2, 5, 4}, {1, 7, 3}}) {
      Performer.Config config = new Performer.Config(shape[0], 5, 0);
      MixerChecks.matches(
          mixer(Sites.causal(shape[2]), config),
          new NaivePerformer(shape[0], true),
          shape[1],
          shape[2]);
      MixerChecks.matches(
          mixer(Sites.bidirectional(shape[2]), config),
          new NaivePerformer(shape[0], false),
          shape[1],
          shape[2]);
    }
  }

  @Test
  void isCausalStreamsAndIgnoresPadding() {
    Performer.Config config = new Performer.Config(2, 16, 0);
    MixerChecks.causal(mixer(Sites.causal(8), config), 8);
    MixerChecks.streams(mixer(Sites.causal(8), config), 8);
    MixerChecks.ignoresPadding(mixer(Sites.causal(8), config), 8);
    MixerChecks.ignoresPadding(mixer(Sites.bidirectional(8), config), 8);
  }

  /** Where all keys are too large for their features, a query takes the mean of the values. */
  @Test
  void largeKeysAreAveragedAndNotLost() {
    for (boolean causal : new boolean[] {true, false}) {
      BlockContext context = causal ? Sites.causal(8) : Sites.bidirectional(8);
      Performer mixer = mixer(context, new Performer.Config(2, 16, 0));
      Weights.draw(mixer);
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
      for (int length : new int[] {1, 5, 130}) {
        Tensor query = Tensor.randn(1, 2, length, 4);
        Tensor key = Tensor.randn(1, 2, length, 4).mul(1000).requiresGrad(true);
        Tensor value = Tensor.randn(1, 2, length, 4);
        var heads = new Attention.Heads(query, key, value);
        var mask = new AttentionMask(0, causal, null, new NoPosition());
        Tensor result = mixer.attend(heads, mask);
        Tensor sums = value.cumsum(2);
        Tensor mean =
            causal
                ? sums.div(Tensor.arange(1, length + 1L).view(1, 1, -1, 1).to(DType.FLOAT32))
                : value.mean(2, true).expand(-1, -1, length, -1);
        assertClose(mean.toDoubles(), result, 1e-4);
        result.square().sum().backward();
        assertTrue(key.grad().isFinite().all(), "gradients");
      }
    }
  }

  /** Wide heads, whose features could overflow, are the definition for ordinary keys. */
  @Test
  void wideHeadsKeepOrdinaryKeys() {
    for (int width : new int[] {64, 96, 256}) {
      Performer mixer = mixer(Sites.causal(width), new Performer.Config(1, 32, 0));
      Weights.draw(mixer);
      Weights weights = Weights.of(mixer);
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(DType.FLOAT32)));
      Tensor x = Tensor.randn(1, 20, width);
      double[][] expected =
          new NaivePerformer(1, true).forward(ModuleChecks.sequences(x)[0], weights);
      assertClose(expected, mixer.forward(x, null).squeeze(0), 2e-3);
    }
  }

  @Test
  void directionsAreOrthogonalInGroups() {
    Tensor directions =
        mixer(Sites.causal(8), new Performer.Config(1, 19, 0))
            .parameters()
            .get("directions")
            .value();
    for (int from = 0; from < 19; from += 8) {
      Tensor group = directions.narrow(0, from, Math.min(8, 19 - from));
      Tensor products = group.matmul(group.t());
      Tensor outside = products.tril(-1).add(products.triu(1));
      assertTrue(outside.abs().max().item() < 1e-4, "orthogonal");
    }
  }

  /**
   * Unbiased: over many draws, the mean of the features' products is exp(q·k/√d) within four
   * standard errors of that mean.
   */
  @Test
  void estimatesTheSoftmaxKernelWithoutBias() {
    int draws = 400;
    Tensor q = Tensor.randn(1, 1, 1, 8);
    Tensor k = Tensor.randn(1, 1, 1, 8);
    double wanted = Math.exp(q.mul(k).sum().item() / Math.sqrt(8));
    double[] estimates = new double[draws];
    try (Mode mode = Autograd.noGrad()) {
      for (int i = 0; i < draws; i++) {
        Performer mixer = mixer(Sites.causal(8), new Performer.Config(1, 64, 0));
        Tensor w = mixer.parameters().get("directions").value();
        estimates[i] = product(q, k, w);
        // What the mixer makes of keys is the same up to √m.
        assertClose(features(k, w).mul(8.0).toDoubles(), mixer.keyFeatures(k).flatten(0, 2), 1e-4);
        mixer.close();
      }
    }
    double mean = java.util.Arrays.stream(estimates).average().getAsDouble();
    double variance =
        java.util.Arrays.stream(estimates).map(e -> (e - mean) * (e - mean)).sum() / (draws - 1);
    double error = Math.sqrt(variance / draws);
    assertTrue(Math.abs(mean - wanted) < 4 * error, mean + " against " + wanted + " ± " + error);
  }

  private static double product(Tensor q, Tensor k, Tensor directions) {
    return features(q, directions).mul(features(k, directions)).sum().item();
  }

  private static Tensor features(Tensor x, Tensor directions) {
    Tensor scaled = x.view(1, 8).to(DType.FLOAT64).mul(Math.pow(8, -0.25));
    Tensor exponent = scaled.matmul(directions.to(DType.FLOAT64).t());
    double half = scaled.square().sum().item() / 2;
    double root = Math.sqrt((double) directions.size(0));
    return exponent.sub(half).exp().div(root).flatten(0, 1);
  }

  @Test
  void drawsAnewWhenAsked() {
    Performer mixer = mixer(Sites.causal(8), new Performer.Config(2, 16, 10));
    Tensor first = mixer.parameters().get("directions").value().copy();
    mixer.before(0, 100);
    mixer.before(9, 100);
    assertTrue(first.sameAs(mixer.parameters().get("directions").value()), "kept until then");
    mixer.before(10, 100);
    assertFalse(first.sameAs(mixer.parameters().get("directions").value()), "drawn anew");
  }
}
