package dev.jformer.compress.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.model.CausalLm;
import dev.jformer.nn.quantized.UniformGrid;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class NoiseEffectTest {
  private static final UniformGrid GRID = new UniformGrid(0.25, 0, 6);

  @Test
  void noiseHelpsBetweenNumbersOfTheGridAndHarmsOnThem() {
    Random.seed(1);
    NoiseEffect between = NoiseEffect.of(Tensor.full(1.125, DType.FLOAT32, 100, 200), GRID);
    assertEquals(1, between.beyond());
    assertEquals(0.25, between.plain(), 1e-6);
    assertEquals(1.0 / 12, between.noisy(), 1e-3);
    assertEquals(1.0 / 12, between.theory(), 1e-9);
    NoiseEffect on = NoiseEffect.of(Tensor.full(1, DType.FLOAT32, 20_000), GRID);
    assertEquals(0, on.beyond());
    assertEquals(0, on.plain());
    assertEquals(1.0 / 12, on.noisy(), 1e-3);
  }

  @Test
  void kurtosisIsThatOfTheDistribution() {
    Random.seed(1);
    assertEquals(3, NoiseEffect.of(Tensor.randn(200_000), GRID).kurtosis(), 0.1);
    assertEquals(1.8, NoiseEffect.of(Tensor.rand(200_000), GRID).kurtosis(), 0.05);
  }

  @Test
  void looksAtTheFirstBatchOfEachLayer() {
    Random.seed(1);
    CausalLm model =
        new CausalLm.Config().withLength(8).withStack(s -> s.layers(2).width(16)).build();
    model.train(false);
    List<Tensor> batches = new ArrayList<>(List.of(Tensor.randint(0, 256, 4, 8)));
    Map<String, NoiseEffect> one = effects(model, batches);
    assertEquals(List.of("blocks.0.ffn.down", "blocks.1.ffn.down"), List.copyOf(one.keySet()));
    one.values().forEach(e -> assertTrue(e.plain() > 0 && e.noisy() > 0, e.toString()));
    batches.add(Tensor.randint(0, 256, 4, 8));
    assertEquals(one, effects(model, batches));
    assertThrows(
        IllegalArgumentException.class,
        () -> NoiseEffect.ofInputs(model, name -> false, 6, other -> {}));
  }

  private static Map<String, NoiseEffect> effects(CausalLm model, List<Tensor> batches) {
    Random.seed(2);
    return NoiseEffect.ofInputs(
        model,
        name -> name.endsWith("ffn.down"),
        6,
        other -> batches.forEach(ids -> ((CausalLm) other).logits(ids)));
  }
}
