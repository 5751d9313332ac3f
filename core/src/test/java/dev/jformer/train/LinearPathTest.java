package dev.jformer.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class LinearPathTest {
  private static CausalLm model(double fill) {
    CausalLm model =
        new CausalLm.Config()
            .with(c -> c.vocab(5).length(8))
            .withStack(s -> s.layers(1).width(8))
            .withBlock(b -> b.mixer(new SoftmaxAttention.Config(2, 0)))
            .build();
    model.trained().forEach(p -> p.copyFrom(p.value().detach().mul(0).add(fill)));
    return model;
  }

  /** A parabola of the weights: its barrier between -1 and 3 is known. */
  @Test
  void measuresModelsOnTheLine() {
    CausalLm one = model(-1);
    CausalLm other = model(3);
    LinearPath path =
        LinearPath.of(
            one,
            other,
            5,
            m -> {
              Tensor w = m.trained().iterator().next().value().detach();
              double x = w.mean().item();
              return 5 - x * x;
            });
    assertEquals(List.of(4.0, 5.0, 4.0, 1.0, -4.0), path.values());
    // The straight line between 4 and -4 is 4, 2, 0, -2, -4.
    assertEquals(4, path.barrier(), 1e-9);
    assertEquals(-1, one.trained().iterator().next().value().detach().mean().item(), 1e-9);
  }

  @Test
  void aValleyHasNoBarrier() {
    assertEquals(0, new LinearPath(List.of(2.0, 1.0, 1.5, 2.0)).barrier());
    assertEquals(0.5, new LinearPath(List.of(1.0, 1.5, 1.0)).barrier());
  }

  @Test
  void refusesModelsOfDifferentShapes() {
    CausalLm other = new CausalLm.Config().withStack(s -> s.layers(1).width(16)).build();
    assertThrows(IllegalArgumentException.class, () -> LinearPath.of(model(0), other, 5, m -> 0));
    assertThrows(
        IllegalArgumentException.class, () -> LinearPath.of(model(0), model(1), 2, m -> 0));
  }
}
