package dev.jformer.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class ActivationSparsityTest {
  private static CausalLm model(String ffn) {
    String json =
        "{'model':'causal-lm','layers':2,'width':16,'length':32,'vocab':50,'mixer':{'heads':2},'ffn':%s}";
    return (CausalLm)
        Configs.parse(json.formatted(ffn).replace('\'', '"'), Model.Config.class).build();
  }

  private static List<Tensor> batches() {
    return List.of(Tensor.randint(0, 50, 3, 20), Tensor.randint(0, 50, 1, 7));
  }

  @Test
  void countsTheUnitsThatTheActivationLetsThrough() {
    CausalLm model = model("{'type':'mlp','activation':'relu'}");
    // Units whose bias is far below any other contribution never fire, those far above always do.
    for (int layer = 0; layer < 2; layer++) {
      Tensor bias = Tensor.full(-100, DType.FLOAT32, 64);
      long firing = 16L * (layer + 1);
      bias.narrow(0, 5, firing).copy_(Tensor.full(100, DType.FLOAT32, firing));
      model.parameters().get("blocks." + layer + ".ffn.up.bias").copyFrom(bias);
    }
    ActivationSparsity sparsity = ActivationSparsity.of(model, batches());
    assertEquals(List.of(0.25, 0.5), sparsity.layers());
    assertEquals(0.375, sparsity.mean());
    assertTrue(model.isTraining(), "the model's mode is as it was");
  }

  @Test
  void atMostKUnitsCountInATopKPerceptron() {
    List<Double> layers =
        ActivationSparsity.of(model("{'type':'top-k','k':8}"), batches()).layers();
    // At the start about half of 64 units are positive: the eight largest always are.
    assertEquals(List.of(8 / 64.0, 8 / 64.0), layers);
  }

  @Test
  void refusesPerceptronsThatShowNoUnits() {
    CausalLm model = model("{'type':'gated-mlp'}");
    assertThrows(IllegalArgumentException.class, () -> ActivationSparsity.of(model, batches()));
  }
}
