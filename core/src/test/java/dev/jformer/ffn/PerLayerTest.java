package dev.jformer.ffn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.Activation;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PerLayerTest {
  @Test
  void buildsWhatStandsAtItsLayer() {
    PerLayer.Config config =
        new PerLayer.Config(List.of(new Mlp.Config(Activation.RELU, 0, 7), new GatedMlp.Config()));
    // The first of two blocks.
    assertEquals(7, config.build(Sites.causal(4)).parameters().get("up.weight").value().size(0));
    assertEquals(config, Configs.parse(Configs.toJson(config), ChannelMixer.Config.class));
    PerLayer.Config one = new PerLayer.Config(List.of(new Mlp.Config(Activation.RELU, 0, 5)));
    assertEquals(5, one.build(Sites.causal(4)).parameters().get("up.weight").value().size(0));
    PerLayer.Config three =
        new PerLayer.Config(List.of(new Mlp.Config(), new Mlp.Config(), new Mlp.Config()));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> three.build(Sites.causal(4)));
    assertTrue(e.getMessage().contains("has 3 channel mixers"), e.getMessage());
  }
}
