package dev.jformer.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.compress.factorize.LowRank;
import dev.jformer.compress.prune.NmPruning;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class WeightErrorTest {
  private final CausalLm model =
      new CausalLm.Config().withLength(8).withStack(s -> s.layers(1).width(16)).build();

  private Map<String, Linear> matrices(Model compressed, Class<?> kind) {
    return ModelRebuilder.linears(model, ModelRebuilder.all(compressed, kind));
  }

  @Test
  void isTheShareOfTheSquaresThatIsLost() {
    model.parameters().values().stream()
        .filter(parameter -> parameter.value().rank() == 1)
        .forEach(bias -> bias.copyFrom(Tensor.randn(bias.value().size(0))));
    Model sparse = new NmPruning(1, 2).apply(model, null);
    Map<String, Linear> matrices = matrices(sparse, SparseLinear.class);
    double lost = 0;
    double all = 0;
    for (String name : matrices.keySet()) {
      Tensor weight = matrices.get(name).weight().value().detach();
      Tensor kept = ((SparseLinear) sparse.modules().get(name)).weight();
      lost += weight.square().sum().item() - kept.square().sum().item();
      all += weight.square().sum().item();
    }
    assertEquals(lost / all, WeightError.of(matrices, sparse), 1e-4);
    assertEquals(0, WeightError.of(matrices, model), 1e-9, "biases do not count");
  }

  @Test
  void expectsALayerOfEachName() {
    Model low = new LowRank(2).apply(model, null);
    Map<String, Linear> missing = Map.of("blocks.9.ffn.up", new Linear(Tensor.ones(2, 2), null));
    assertThrows(IllegalArgumentException.class, () -> WeightError.of(missing, low));
  }
}
