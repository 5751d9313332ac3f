package dev.jformer.ffn.expert;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.AuxiliaryLosses;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Flops;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(Scoped.class)
class MohdTest {
  /** Token by token: dimensions that are not used count as zero. */
  private static Naive naive(int groups, int shared, int active) {
    return (x, w) -> {
      double[][] router = w.matrix("router");
      double[] fusion = w.vector("fusion");
      double[][] used = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        used[t] = x[t].clone();
        double[] scores = Loops.linear(new double[][] {x[t]}, router, null)[0];
        double[] p = Loops.softmax(scores);
        for (int d = 0; d < x[t].length; d++) {
          int group = d / (x[t].length / groups) - shared;
          if (group >= 0) {
            int better = 0;
            for (double score : scores) {
              better += score > scores[group] ? 1 : 0;
            }
            used[t][d] *= better < active ? p[group] * (groups - shared) : 0;
          }
        }
      }
      double[][] y = Loops.linear(used, w.matrix("weight"), null);
      double[][] fused = new double[x.length][y[0].length];
      int size = y[0].length / groups;
      for (int t = 0; t < x.length; t++) {
        for (int d = 0; d < fused[t].length; d++) {
          for (int g = 0; g < groups; g++) {
            double scaled = y[t][g * size + d % size] * groups / (shared + active);
            fused[t][d] += fusion[d / size * groups + g] * scaled;
          }
          fused[t][d] += w.vector("bias")[d];
        }
      }
      return fused;
    };
  }

  @ParameterizedTest
  @CsvSource({"4,1,1", "4,0,2", "2,1,1", "4,2,2"})
  void matchesItsDefinition(int groups, int shared, int active) {
    Layer layer =
        new Mohd.Config(groups, shared, active, 0.01).build(8, 12, true, Initializer.normal(1));
    ModuleChecks.matches(layer, naive(groups, shared, active), 5, 8);
  }

  @Test
  void withAllGroupsAndNoOpinionItIsALinearLayer() {
    Layer layer = new Mohd.Config(4, 1, 3, 0).build(8, 12, true, Initializer.normal(1));
    layer.parameters().get("router").copyFrom(Tensor.zeros(3, 8));
    Tensor x = Tensor.randn(3, 5, 8);
    Tensor weight = layer.parameters().get("weight").value().detach();
    assertClose(x.matmul(weight.t()), layer.forward(x).detach(), 1e-5);
  }

  @Test
  void computesHalfWhereHalfIsActive() {
    Layer layer = new Mohd.Config(4, 1, 1, 0).build(64, 32, false, Initializer.normal(1));
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(20, 64);
      double half = 2.0 * 20 * 32 * 64 / 2;
      double router = 2.0 * 20 * 64 * 3;
      double fusion = 2.0 * 20 * 32 * 4;
      assertEquals(half + router + fusion, Flops.of(() -> layer.forward(x)));
    }
  }

  @Test
  void asksForBalanceInTraining() {
    Layer layer = new Mohd.Config(4, 1, 1, 0.5).build(8, 8, false, Initializer.normal(1));
    layer.parameters().get("router").copyFrom(Tensor.zeros(3, 8));
    Tensor x = Tensor.randn(6, 8);
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      layer.forward(x);
      // Of even probabilities it is the factor, whatever was chosen.
      assertEquals(0.5, auxiliary.addTo(Tensor.scalar(0)).item(), 1e-6);
    }
    layer.train(false);
    try (AuxiliaryLosses auxiliary = AuxiliaryLosses.collect()) {
      layer.forward(x);
      assertEquals(0, auxiliary.addTo(Tensor.scalar(0)).item());
    }
  }

  @Test
  void decodesAsItReads() {
    Random.seed(2);
    CausalLm model =
        (CausalLm)
            Configs.parse(
                    "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"vocab\":20,\"length\":9,"
                        + "\"init\":{\"deviation\":0.3},\"projection\":{\"type\":\"mohd\"}}",
                    Model.Config.class)
                .build();
    model.train(false);
    Tensor ids = Tensor.randint(0, 20, 1, 9);
    try (Mode mode = Autograd.noGrad();
        CausalLm.Decoding decoding = model.decode(1, 9)) {
      Tensor whole = model.logits(ids);
      for (int t = 0; t < 9; t++) {
        assertClose(whole.select(1, t), decoding.next(ids.narrow(1, t, 1)), 1e-4);
      }
    }
  }

  @Test
  void refusesImpossibleGroups() {
    assertThrows(IllegalArgumentException.class, () -> new Mohd.Config(4, 4, 1, 0));
    assertThrows(IllegalArgumentException.class, () -> new Mohd.Config(4, 1, 4, 0));
    assertThrows(IllegalArgumentException.class, () -> new Mohd.Config(4, 1, 1, -1));
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () ->
                Configs.parse("{\"type\":\"mohd\"}", Projection.class)
                    .build(10, 8, true, Initializer.normal(1)));
    assertTrue(e.getMessage().contains("the widths 10 and 8"), e.getMessage());
  }
}
