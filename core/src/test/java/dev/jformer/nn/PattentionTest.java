package dev.jformer.nn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.Growth;
import dev.jformer.ffn.PattentionMlp;
import dev.jformer.hub.Models;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class PattentionTest {
  /** Scores, divided by their length, times √n, GELU, values; groups side by side. */
  private static Naive naive(String prefix, int groups, int first) {
    return (x, w) -> {
      double[][] keys = w.matrix(prefix + "keys");
      double[][] values = w.matrix(prefix + "values");
      int count = keys.length / groups;
      int out = values[0].length;
      double[][] y = new double[x.length][groups * out];
      for (int t = 0; t < x.length; t++) {
        for (int g = 0; g < groups; g++) {
          double[] scores = new double[count];
          double length = 1e-12;
          for (int n = 0; n < count; n++) {
            for (int i = 0; i < x[t].length; i++) {
              scores[n] += x[t][i] * keys[g * count + n][i];
            }
            length += scores[n] * scores[n];
          }
          for (int n = 0; n < count; n++) {
            double weight = Loops.gelu(scores[n] / Math.sqrt(length) * Math.sqrt(first));
            for (int o = 0; o < out; o++) {
              y[t][g * out + o] += weight * values[g * count + n][o];
            }
          }
        }
      }
      return y;
    };
  }

  @Test
  void matchesTheDefinition() {
    Initializer normal = Initializer.normal(0.5);
    for (int growth : new int[] {1, 3}) {
      ModuleChecks.matches(
          new Pattention.Config(1.5, growth).build(4, 4, true, normal), naive("", 1, 6), 3, 4);
      ModuleChecks.matches(
          new Pattention.Config(1, growth).build(3, 9, true, normal), naive("", 3, 3), 1, 3);
      ModuleChecks.matches(
          new Pattention.Config(1, growth).build(4, 3, true, normal), naive("", 1, 4), 2, 4);
      ModuleChecks.matches(
          new PattentionMlp.Config(2, growth).build(Sites.causal(3)), naive("tokens.", 1, 6), 4, 3);
    }
  }

  private static CausalLm model() {
    return new CausalLm.Config()
        .with(c -> c.vocab(32).length(24))
        .withStack(s -> s.layers(2).width(16).position(new Rope.Config()))
        .withBlock(
            b ->
                b.mixer(new SoftmaxAttention.Config(2, 0))
                    .ffn(new PattentionMlp.Config())
                    .projection(new Pattention.Config()))
        .build();
  }

  @Test
  void growthPreservesTheFunction(@TempDir Path folder) throws IOException {
    CausalLm small = model();
    Tensor ids = Tensor.randint(0, 32, 2, 24);
    try (CausalLm twice = (CausalLm) Growth.grow(small, 2);
        CausalLm more = (CausalLm) Growth.grow(twice, 3);
        Mode mode = Autograd.noGrad()) {
      Tensor before = small.logits(ids);
      double off = before.sub(twice.logits(ids)).abs().max().item();
      assertTrue(off < 1e-5, "grown twice, off by " + off);
      double further = before.sub(more.logits(ids)).abs().max().item();
      assertTrue(further < 1e-5, "grown six times, off by " + further);
      long tokens = small.parameters().get("blocks.0.ffn.tokens.keys").value().size(1);
      assertEquals(6 * tokens, more.parameters().get("blocks.0.ffn.tokens.keys").value().size(1));
      Models.save(more, folder);
      try (CausalLm loaded = (CausalLm) Models.load(folder)) {
        assertClose(more.logits(ids).toDoubles(), loaded.logits(ids), 0);
      }
    }
  }

  /** What grew learns: gradients reach the new keys and values. */
  @Test
  void newTokensLearn() {
    CausalLm grown = (CausalLm) Growth.grow(model(), 2);
    Tensor ids = Tensor.randint(0, 32, 2, 24);
    grown.loss(ids, ids).backward();
    Tensor keys = grown.parameters().get("blocks.0.ffn.tokens.keys").value();
    long half = keys.size(1) / 2;
    assertTrue(keys.grad().narrow(1, half, half).abs().max().item() > 0, "keys");
    grown.close();
  }

  @Test
  void onlyWhatGrowsIsGrown() {
    CausalLm plain = new CausalLm.Config().build();
    assertThrows(IllegalArgumentException.class, () -> Growth.grow(plain, 2));
    assertThrows(IllegalArgumentException.class, () -> Growth.grow(model(), 1));
    plain.close();
  }

  @Test
  void zerosStayFinite() {
    Layer layer = new Pattention.Config().build(4, 4, false, Initializer.normal(1));
    Tensor x = Tensor.zeros(DType.FLOAT32, 1, 2, 4).requiresGrad(true);
    Tensor y = layer.forward(x);
    y.sum().backward();
    assertTrue(y.isFinite().all() && x.grad().isFinite().all());
  }
}
