package dev.jformer.compress;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.VisionTransformer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.AdamW;
import dev.jformer.train.LearngeneOptimizer;
import dev.jformer.train.Optimizer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class LinearExpansionTest {
  private static VisionTransformer plain(int layers) {
    Random.seed(layers);
    return new VisionTransformer.Config()
        .with(c -> c.size(8).patch(2))
        .withStack(s -> s.layers(layers).width(16))
        .withBlock(b -> b.bias(true).mixer(new SoftmaxAttention.Config(2, 0)))
        .build();
  }

  /** A model after some updates of a learngene. */
  private static VisionTransformer trained(int layers) {
    VisionTransformer model = plain(layers);
    try (Optimizer optimizer = new LearngeneOptimizer.Config(new AdamW.Config()).build(model)) {
      for (int step = 0; step < 4; step++) {
        model.clearGrads();
        model.logits(Tensor.rand(5, 3, 8, 8)).square().mean().backward();
        optimizer.step(0.02);
      }
    }
    model.train(false);
    return model;
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 6, 12})
  void theSameDepthComputesTheSame(int layers) {
    VisionTransformer model = trained(layers);
    Tensor images = Tensor.rand(3, 3, 8, 8);
    try (Model same = LinearExpansion.expand(model, layers)) {
      assertClose(model.logits(images), ((VisionTransformer) same).logits(images), 1e-5);
    }
  }

  /** Every weight of a block is θ_B + (l / N) θ_A, in float64 from the blocks of the original. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 9})
  void blocksOfOtherDepthsLieOnTheLine(int depth) {
    VisionTransformer model = trained(6);
    Map<String, Parameter> from = model.parameters();
    try (Model expanded = LinearExpansion.expand(model, depth)) {
      assertEquals(depth, ((VisionTransformer) expanded).blocks().size());
      expanded
          .parameters()
          .forEach(
              (name, p) -> {
                double[] found = p.value().detach().toDoubles();
                if (!name.contains("blocks.")) {
                  assertClose(from.get(name).value(), p.value(), 0);
                  return;
                }
                int block = Integer.parseInt(name.replaceAll(".*blocks\\.(\\d+)\\..*", "$1"));
                String at = name.replaceFirst("blocks\\.\\d+", "blocks.%d");
                double[] first = from.get(at.formatted(0)).value().detach().toDoubles();
                double[] third = from.get(at.formatted(3)).value().detach().toDoubles();
                for (int i = 0; i < found.length; i++) {
                  double slope = (third[i] - first[i]) * 2; // t = 3/6
                  assertEquals(first[i] + slope * block / depth, found[i], 1e-5, name);
                }
              });
    }
  }

  /** Two blocks hold all that there is. */
  @Test
  void twoBlocksAreTheLearngene() {
    VisionTransformer model = trained(6);
    Tensor images = Tensor.rand(3, 3, 8, 8);
    try (Model two = LinearExpansion.expand(model, 2);
        Model again = LinearExpansion.expand(two, 6)) {
      assertTrue(two.parameterCount() < model.parameterCount() / 2);
      assertClose(model.logits(images), ((VisionTransformer) again).logits(images), 1e-4);
    }
  }

  @Test
  void refusesWhatIsNotExpanded() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> LinearExpansion.expand(plain(4), 2))
            .getMessage();
    assertTrue(message.contains("training.optimizer=learngene"), message);
    String one =
        assertThrows(IllegalArgumentException.class, () -> LinearExpansion.expand(plain(1), 2))
            .getMessage();
    assertTrue(one.contains("one block only"), one);
    String stack =
        assertThrows(
                IllegalArgumentException.class,
                () -> LinearExpansion.expand(new EncoderDecoder.Config().build(), 2))
            .getMessage();
    assertTrue(stack.contains("no single stack"), stack);
    assertThrows(IllegalArgumentException.class, () -> LinearExpansion.expand(trained(2), 0));
  }
}
