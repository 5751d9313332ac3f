package dev.jformer.studies.trial;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.forecast.LinearForecaster;
import dev.jformer.nn.ForwardHook;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import org.junit.jupiter.api.Test;

class OutlierChannelsTest {
  @Test
  void channelsBecomeLargerAndTheModelStaysTheFunction() {
    Random.seed(1);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      CausalLm model = Small.language(2, 16, 8, new SoftmaxAttention.Config(2, 0)).build();
      model.train(false);
      Tensor ids = Tensor.randint(0, 256, 3, 8);
      CausalLm changed = (CausalLm) OutlierChannels.in(model, 3, 20, 1);
      Tensor off = model.logits(ids).sub(changed.logits(ids)).abs().max();
      assertTrue(off.item() < 1e-5, "off by " + off.item());
      for (String layer : new String[] {"blocks.0.mixer.qkv", "blocks.1.ffn.up"}) {
        double[] before = largest(model, layer, ids);
        double[] after = largest(changed, layer, ids);
        int larger = 0;
        for (int i = 0; i < before.length; i++) {
          boolean outlier = after[i] > 2 * before[i];
          larger += outlier ? 1 : 0;
          assertEquals(outlier ? 20 : 1, after[i] / before[i], 1e-3);
        }
        assertEquals(3, larger);
      }
    }
  }

  private static double[] largest(CausalLm model, String layer, Tensor ids) {
    double[][] largest = new double[1][];
    try (ForwardHook probe =
        ForwardHook.on(
            model,
            layer::equals,
            seen -> largest[0] = seen.input().flatten(0, 1).abs().max(0, false).toDoubles())) {
      model.logits(ids);
    }
    return largest[0];
  }

  @Test
  void refusesModelsWithoutBlocks() {
    try (LinearForecaster model = new LinearForecaster.Config().build()) {
      assertThrows(IllegalArgumentException.class, () -> OutlierChannels.in(model, 1, 2, 1));
    }
  }
}
