package dev.jformer.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.compress.quantize.LlmFp4;
import dev.jformer.compress.quantize.NoisyQuant;
import dev.jformer.compress.quantize.Ptq;
import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.quantized.MiniFloatLinear;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(Scoped.class)
class SurgeryProgressTest {
  private static final String MODEL =
      "{\"model\":\"causal-lm\",\"layers\":2,\"width\":16,\"vocab\":11,\"length\":8,"
          + "\"mixer\":{\"type\":\"softmax\",\"heads\":2}}";

  static Stream<Compression> methods() {
    return Stream.of(
        new Ptq(),
        new NoisyQuant(new Ptq(), 2, 1),
        new LlmFp4(4, 4, MiniFloatLinear.Kind.PRE_SHIFTED, 0, 0, 2, 1, 16));
  }

  @ParameterizedTest
  @MethodSource("methods")
  void tellsOfEachLayer(Compression method) {
    try (Model model = Configs.parse(MODEL, Model.Config.class).build()) {
      long layers =
          model.modules().entrySet().stream()
              .filter(m -> m.getKey().startsWith("blocks") && m.getValue() instanceof Linear)
              .count();
      List<Double> told = new ArrayList<>();
      Tensor ids = Tensor.randint(0, 11, 2, 8);
      method.apply(model, each -> ((CausalLm) each).logits(ids), told::add).close();
      assertTrue(layers > 0);
      assertEquals(layers, told.size());
      for (int i = 0; i < layers; i++) {
        assertEquals((i + 1.0) / layers, told.get(i), 1e-12);
      }
    }
  }
}
