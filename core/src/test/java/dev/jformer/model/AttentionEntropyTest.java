package dev.jformer.model;

import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class AttentionEntropyTest {
  private static final int WIDTH = 12;
  private static final int HEADS = 3;

  private static CausalLm model(String more) {
    String json =
        "{'model':'causal-lm','layers':2,'width':12,'vocab':10,'length':8,'mixer':{'heads':3},%s}"
            .formatted(more)
            .replace('\'', '"');
    return Weights.draw((CausalLm) Configs.parse(json, Model.Config.class).build());
  }

  private static Tensor ids() {
    return Tensor.randint(0, 10, 4, 7);
  }

  private static double entropy(double[] weights) {
    return -Arrays.stream(weights).filter(p -> p > 0).map(p -> p * Math.log(p)).sum();
  }

  /** Logits [H][T][T] in plain loops, of a mixer given x. */
  private static double[][][] logits(Block block, double[][] x) {
    double[][] qkv = Loops.linear(x, Weights.of(block.mixer()), "qkv");
    int headDim = WIDTH / HEADS;
    double[][][] logits = new double[HEADS][x.length][x.length];
    for (int h = 0; h < HEADS; h++) {
      for (int t = 0; t < x.length; t++) {
        for (int s = 0; s < x.length; s++) {
          for (int i = h * headDim; i < (h + 1) * headDim; i++) {
            logits[h][t][s] += qkv[t][i] * qkv[s][WIDTH + i] / Math.sqrt(headDim);
          }
        }
      }
    }
    return logits;
  }

  @ParameterizedTest
  @ValueSource(strings = {"'placement':'pre'", "'placement':'post'", "'norm':{'type':'none'}"})
  void entropiesAndNormsAreThoseOfPlainLoops(String more) {
    CausalLm model = model(more);
    Tensor ids = ids();
    double[][] entropies = AttentionEntropy.entropies(model, ids);
    double[][] norms = AttentionEntropy.spectralNorms(model, ids);
    double[][] above = AttentionEntropy.aboveLowerBound(model, ids);
    boolean normed = more.contains("pre");
    Map<String, Parameter> p = model.parameters();
    Tensor x =
        p.get("embedding.weight")
            .value()
            .indexSelect(0, ids.flatten(0, 1))
            .unflatten(0, 4, 7)
            .add(p.get("position.weight").value().narrow(0, 0, 7));
    for (int layer = 0; layer < 2; layer++) {
      Block block = model.blocks().get(layer);
      double[] expected = new double[HEADS];
      double[] largest = new double[HEADS];
      Weights weights = Weights.of(block);
      for (double[][] sequence : ModuleChecks.sequences(x)) {
        double[][] input =
            normed
                ? Loops.layerNorm(
                    sequence,
                    weights.vector("mixerNorm.weight"),
                    weights.vector("mixerNorm.bias"),
                    1e-5)
                : sequence;
        double[][][] logits = logits(block, input);
        for (int h = 0; h < HEADS; h++) {
          for (int t = 0; t < 7; t++) {
            double[] row = Loops.softmax(Arrays.copyOf(logits[h][t], t + 1));
            expected[h] += entropy(row) / (7 * 4);
          }
          largest[h] = Math.max(largest[h], norm(logits[h]));
        }
      }
      assertArrayEquals(expected, entropies[layer], 1e-9, "entropies of layer " + layer);
      assertArrayEquals(largest, norms[layer], 1e-6, "norms of layer " + layer);
      for (int h = 0; h < HEADS; h++) {
        double least = AttentionEntropy.causalLowerBound(largest[h], 7);
        assertEquals(expected[h] - least, above[layer][h], 1e-6, "distance of head " + h);
        assertTrue(above[layer][h] > 0, "theorem 3.1, head " + h);
      }
      x = block.forward(x, null);
    }
  }

  /** Spectral norm by many steps of power iteration. */
  private static double norm(double[][] matrix) {
    double[] u = new double[matrix.length];
    Arrays.setAll(u, i -> 1 + 0.1 * i);
    double norm = 0;
    for (int step = 0; step < 5000; step++) {
      double[] v = new double[u.length];
      for (int t = 0; t < u.length; t++) {
        for (int s = 0; s < u.length; s++) {
          v[t] += matrix[t][s] * u[s];
        }
      }
      double[] next = new double[u.length];
      for (int t = 0; t < u.length; t++) {
        for (int s = 0; s < u.length; s++) {
          next[s] += matrix[t][s] * v[t];
        }
      }
      double length = Math.sqrt(Arrays.stream(next).map(e -> e * e).sum());
      norm = Math.sqrt(length);
      u = Arrays.stream(next).map(e -> e / length).toArray();
    }
    return norm;
  }

  @Test
  void evenAttentionHasTheLogarithmOfWhatItSees() {
    CausalLm model = model("'norm':{'type':'none'}");
    model
        .blocks()
        .forEach(block -> block.mixer().parameters().get("qkv.weight").value().detach().zero_());
    double expected = 0;
    for (int t = 1; t <= 7; t++) {
      expected += Math.log(t) / 7;
    }
    for (double[] layer : AttentionEntropy.entropies(model, ids())) {
      assertArrayEquals(new double[] {expected, expected, expected}, layer, 1e-9);
    }
    assertEquals(expected, AttentionEntropy.causalLowerBound(0, 7), 1e-12);
  }

  @Test
  void whatIsNoNumberIsNoError() {
    CausalLm model = model("'norm':{'type':'none'}");
    model.parameters().get("blocks.0.mixer.qkv.weight").value().detach().fill_(Double.NaN);
    assertTrue(Double.isNaN(AttentionEntropy.entropies(model, ids())[0][1]));
    assertTrue(Double.isNaN(AttentionEntropy.spectralNorms(model, ids())[1][2]));
    assertTrue(Double.isNaN(AttentionEntropy.aboveLowerBound(model, ids())[1][2]));
  }

  @Test
  void measuringLeavesTheModelAsItWas() {
    CausalLm model = model("'dropout':0.5,'projection':{'type':'sigma-reparam'}");
    model.train(true);
    Tensor random = Random.state();
    Tensor ids = ids();
    Random.restore(random);
    Map<String, Tensor> before = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> before.put(name, p.value().copy()));
    AttentionEntropy.entropies(model, ids);
    AttentionEntropy.spectralNorms(model, ids);
    assertTrue(model.isTraining() && model.blocks().get(1).ffn().isTraining());
    assertSame(random, Random.state(), "random state");
    before.forEach((name, value) -> assertSame(value, model.parameters().get(name).value(), name));
  }

  /** Theorem 3.1 for any logits: no row is less spread than their spectral norm allows. */
  @Test
  void noRowOfLogitsFallsBelowTheBound() {
    java.util.Random random = new java.util.Random(Scoped.seed());
    double closest = Double.POSITIVE_INFINITY;
    for (int trial = 0; trial < 300; trial++) {
      int tokens = 2 + random.nextInt(12);
      double scale = Math.exp(3 * random.nextGaussian());
      double[][] logits = new double[tokens][tokens];
      for (double[] row : logits) {
        double rowScale = trial % 2 == 0 ? scale : scale * Math.exp(2 * random.nextGaussian());
        for (int s = 0; s < tokens; s++) {
          row[s] = rowScale * random.nextGaussian();
        }
      }
      double norm = norm(logits) * (1 + 1e-9);
      for (double[] row : logits) {
        double slack = entropy(Loops.softmax(row)) - AttentionEntropy.lowerBound(norm, tokens);
        assertTrue(slack >= -1e-9, "trial " + trial + ": below the bound by " + -slack);
        closest = Math.min(closest, slack);
      }
    }
    assertTrue(closest < 0.1, "the bound is near to some row, not only true: " + closest);
  }

  /** As the paper states it: with the norms of the weights and of the tokens. */
  @Test
  void theBoundHoldsForTheProductOfThePapersNorms() {
    for (double scale : new double[] {0.05, 0.3, 1}) {
      Tensor x = Tensor.randn(6, 6).to(DType.FLOAT64);
      Tensor w = Tensor.randn(6, 6).to(DType.FLOAT64).mul(scale);
      double[][] rows = ModuleChecks.sequences(x.matmul(w).matmul(x.t()).unsqueeze(0))[0];
      double product =
          norm(ModuleChecks.sequences(w.unsqueeze(0))[0])
              * norm(ModuleChecks.sequences(x.matmul(x.t()).unsqueeze(0))[0]);
      assertTrue(norm(rows) <= product * (1 + 1e-9));
      for (double[] row : rows) {
        double bound = AttentionEntropy.lowerBound(product, 6);
        assertTrue(entropy(Loops.softmax(row)) >= bound - 1e-12, "scale " + scale);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 17, 256})
  void theBoundIsAttained(int tokens) {
    for (double norm : new double[] {0, 0.1, 1, 5, 20}) {
      // One row as the theorem has it, all others zero: the spectral norm is this row's length.
      double[] row = new double[tokens];
      Arrays.fill(row, -norm / Math.sqrt(tokens * (tokens - 1.0)));
      row[tokens / 2] = norm * Math.sqrt((tokens - 1.0) / tokens);
      assertEquals(norm, Math.sqrt(Arrays.stream(row).map(z -> z * z).sum()), 1e-12);
      double bound = AttentionEntropy.lowerBound(norm, tokens);
      assertEquals(entropy(Loops.softmax(row)), bound, 1e-12, "norm " + norm);
      assertTrue(AttentionEntropy.lowerBound(norm + 0.1, tokens) < bound, "it falls");
    }
    assertEquals(Math.log(tokens), AttentionEntropy.lowerBound(0, tokens), 1e-12);
  }

  @ParameterizedTest
  @ValueSource(doubles = {0.1, 1, 4})
  void modelsKeepTheBound(double scale) {
    CausalLm model = model("'norm':{'type':'none'},'position':{'type':'alibi'}");
    model.parameters().get("blocks.0.mixer.qkv.weight").value().detach().mul_(scale);
    Tensor ids = ids();
    double[][] entropies = AttentionEntropy.entropies(model, ids);
    double[][] norms = AttentionEntropy.spectralNorms(model, ids);
    for (int layer = 0; layer < 2; layer++) {
      for (int head = 0; head < HEADS; head++) {
        double bound = AttentionEntropy.causalLowerBound(norms[layer][head], 7);
        assertTrue(entropies[layer][head] >= bound, entropies[layer][head] + " < " + bound);
      }
    }
  }

  @Test
  void saysWhatIsWrong() {
    var error =
        assertThrows(
            IllegalArgumentException.class, () -> AttentionEntropy.lowerBound(Double.NaN, 3));
    assertTrue(error.getMessage().contains("NaN"), error.getMessage());
    assertThrows(IllegalArgumentException.class, () -> AttentionEntropy.lowerBound(1, 0));
  }
}
