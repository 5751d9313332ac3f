package dev.jformer.ffn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.nn.Initializer;
import dev.jformer.nn.kan.SplineLayer;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class SplineKanTest {
  @Test
  void isTwoSplineLayers() {
    ChannelMixer mixer = new SplineKan.Config(4, 2, 1.5, 2, 0).build(Sites.causal(3));
    SplineLayer up = new SplineLayer(3, 6, 4, 2, 1.5, Initializer.normal(1));
    SplineLayer down = new SplineLayer(6, 3, 4, 2, 1.5, Initializer.normal(1));
    up.parameters().forEach((n, p) -> p.copyFrom(mixer.parameters().get("up." + n).value()));
    down.parameters().forEach((n, p) -> p.copyFrom(mixer.parameters().get("down." + n).value()));
    Tensor x = Tensor.randn(2, 5, 3);
    assertClose(down.forward(up.forward(x)).detach(), mixer.forward(x).detach(), 1e-6);
    // G + k + 1 times the weights of the two matrices.
    assertEquals(7 * 2 * 18, mixer.parameterCount());
  }

  @Test
  void refusesImpossibleGrids() {
    assertThrows(IllegalArgumentException.class, () -> new SplineKan.Config(0, 3, 1, 4, 0));
  }
}
