package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Granularities;
import dev.jformer.metrics.Metrics;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class EveryGranularityTest {
  private static ChannelMixer mixer(String practice) {
    String config = "{\"type\":\"nested-mlp\",\"practice\":\"" + practice + "\"}";
    return Configs.parse(config, ChannelMixer.Config.class).build(Sites.causal(8));
  }

  private static Task task(ChannelMixer mixer, Tensor x) {
    return new Task() {
      @Override
      public Tensor loss(long index) {
        return mixer.forward(x).square().mean();
      }

      @Override
      public long unitsPerBatch() {
        return 7;
      }

      @Override
      public String unit() {
        return "rows";
      }

      @Override
      public Metrics evaluate() {
        return Metrics.ofLoss(5, "nats");
      }
    };
  }

  @Test
  void theLossIsTheMeanOverAllGranularities() {
    ChannelMixer mixer = mixer("all");
    Tensor x = Tensor.randn(3, 8);
    Task each = task(mixer, x);
    Task all = EveryGranularity.where(mixer, each);
    Tensor loss = all.loss(0);
    double mean = 0;
    for (int g = 0; g < 4; g++) {
      Granularities.of(mixer).useInTraining(g);
      mean += each.loss(0).item() / 4;
    }
    assertEquals(mean, loss.item(), 1e-7);
    loss.backward();
    Tensor together = mixer.parameters().get("up.weight").value().grad().copy();
    mixer.clearGrads();
    for (int g = 0; g < 4; g++) {
      Granularities.of(mixer).useInTraining(g);
      each.loss(0).div(4).backward();
    }
    assertClose(mixer.parameters().get("up.weight").value().grad(), together, 1e-6);
    assertEquals(7, all.unitsPerBatch());
    assertEquals("rows", all.unit());
    assertEquals(5, all.evaluate().loss());
  }

  @Test
  void otherModelsAreTrainedAsEver() {
    ChannelMixer mixer = mixer("one");
    Task task = task(mixer, Tensor.randn(3, 8));
    assertSame(task, EveryGranularity.where(mixer, task));
  }
}
