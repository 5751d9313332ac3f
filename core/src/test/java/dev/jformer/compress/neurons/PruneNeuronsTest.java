package dev.jformer.compress.neurons;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class PruneNeuronsTest {
  @BeforeEach
  void seed() {
    Random.seed(3);
  }

  private static CausalLm model(String ffn) {
    CausalLm model =
        (CausalLm)
            Configs.parse(
                    "{\"model\":\"causal-lm\",\"layers\":3,\"width\":8,\"vocab\":20,\"length\":10,"
                        + "\"mixer\":{\"heads\":2},\"ffn\":"
                        + ffn
                        + "}",
                    Model.Config.class)
                .build();
    model
        .parameters()
        .forEach((n, p) -> p.copyFrom(Tensor.randn(p.value().shape().toArray()).mul(0.3)));
    model.train(false);
    return model;
  }

  /** Units that give nothing may go: what is left computes the same. */
  @Test
  void leavesOutTheSmallestUnits() {
    for (String type : List.of("mlp", "gated-mlp")) {
      CausalLm model = model("{\"type\":\"" + type + "\",\"hidden\":16}");
      long[] idle = {1, 4, 11};
      model
          .parameters()
          .forEach(
              (name, p) -> {
                for (long unit : idle) {
                  Tensor values = p.value().detach();
                  if (name.endsWith("ffn.down.weight")) {
                    values.select(1, unit).fill_(0);
                  } else if (name.contains("ffn.up") || name.contains("ffn.gateUp")) {
                    values.select(0, unit).fill_(0.01);
                    if (type.equals("gated-mlp")) {
                      values.select(0, 16 + unit).fill_(0.01);
                    }
                  }
                }
              });
      Tensor ids = Tensor.randint(0, 20, 2, 10);
      try (Mode mode = Autograd.noGrad()) {
        CausalLm pruned =
            (CausalLm)
                new PruneNeurons(3.0 / 16, List.of(), new MagnitudeNeurons()).apply(model, null);
        assertEquals(List.of(13, 13, 13), List.copyOf(NeuronMask.counts(pruned).values()));
        double off = pruned.logits(ids).sub(model.logits(ids)).abs().max().item();
        assertTrue(off < 1e-5, type + " is off by " + off);
        double chance =
            ((CausalLm)
                    new PruneNeurons(3.0 / 16, List.of(), new RandomNeurons(1)).apply(model, null))
                .logits(ids)
                .sub(model.logits(ids))
                .abs()
                .max()
                .item();
        assertTrue(chance > 100 * off, "chance leaves out others");
      }
    }
  }

  @Test
  void magnitudeIsTheLengthOfAllThatLeaves() {
    double[][] in = {{3, 0}, {1, 1}, {0, 0.5}};
    double[][] out = {{4}, {1}, {5}};
    double[] scores =
        new MagnitudeNeurons()
            .scores(
                Tensor.of(new double[] {3, 0, 1, 1, 0, 0.5}, 3, 2),
                Tensor.of(new double[] {4, 1, 5}, 3, 1),
                0);
    for (int unit = 0; unit < 3; unit++) {
      double expected = in[unit][0] * in[unit][0] + in[unit][1] * in[unit][1];
      assertEquals(expected + out[unit][0] * out[unit][0], scores[unit], 1e-12);
    }
  }

  @Test
  void keepsWhatIsHighestInItsOrder() {
    Map<String, double[]> scores = new LinkedHashMap<>();
    scores.put("a", new double[] {1, 5, 2, 5, 0});
    scores.put("b", new double[] {0, 0, 7});
    NeuronMask kept = NeuronMask.highest(scores, Map.of("a", 3, "b", 1));
    assertArrayEquals(new long[] {1, 2, 3}, kept.kept().get("a"));
    assertArrayEquals(new long[] {2}, kept.kept().get("b"));
    assertEquals(0.5, kept.density());
    assertEquals(List.of(3, 1), kept.widths());
  }

  @Test
  void layersKeepAsManyAsIsSaid() {
    CausalLm model = model("{\"type\":\"mlp\",\"hidden\":16}");
    for (NeuronRule rule : List.of(new MagnitudeNeurons(), new RandomNeurons(4))) {
      Model pruned = new PruneNeurons(0, List.of(3, 16, 9), rule).apply(model, null);
      assertEquals(List.of(3, 16, 9), List.copyOf(NeuronMask.counts(pruned).values()));
      assertTrue(
          pruned
              .parameters()
              .get("blocks.1.ffn.up.weight")
              .value()
              .sameAs(model.parameters().get("blocks.1.ffn.up.weight").value()));
    }
  }

  /** Each unit is drawn as often as another, and no layer is left with none. */
  @Test
  void drawsUnitsOfAllLayersTogether() {
    Map<String, Integer> counts = new LinkedHashMap<>();
    counts.put("a", 4);
    counts.put("b", 12);
    int rounds = 4000;
    int[] drawn = new int[16];
    SplittableRandom random = new SplittableRandom(5);
    for (int round = 0; round < rounds; round++) {
      NeuronMask neurons = NeuronMask.drawn(counts, 0.5, random);
      assertEquals(8, neurons.widths().get(0) + neurons.widths().get(1));
      for (long unit : neurons.kept().get("a")) {
        drawn[(int) unit]++;
      }
      for (long unit : neurons.kept().get("b")) {
        drawn[4 + (int) unit]++;
      }
    }
    for (int count : drawn) {
      assertEquals(0.5, (double) count / rounds, 0.05); // six standard deviations
    }
    NeuronMask few = NeuronMask.drawn(counts, 0.99, random);
    assertEquals(List.of(1, 1), few.widths());
    assertEquals(
        NeuronMask.drawn(counts, 0.5, new SplittableRandom(2)),
        NeuronMask.drawn(counts, 0.5, new SplittableRandom(2)));
    assertNotEquals(
        NeuronMask.drawn(counts, 0.5, new SplittableRandom(2)),
        NeuronMask.drawn(counts, 0.5, new SplittableRandom(3)));
  }

  @Test
  void refusesWhatDoesNotFit() {
    CausalLm model = model("{\"type\":\"mlp\",\"hidden\":16}");
    NeuronRule rule = new MagnitudeNeurons();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PruneNeurons(0, List.of(3, 4), rule).apply(model, null));
    assertTrue(e.getMessage().contains("one for each of the model's 3"), e.getMessage());
    e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new PruneNeurons(0, List.of(3, 17, 4), rule).apply(model, null));
    assertTrue(e.getMessage().contains("which has 16 units"), e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> new PruneNeurons(1, List.of(), rule));
    assertThrows(IllegalArgumentException.class, () -> new PruneNeurons(0, List.of(0), rule));
    assertThrows(IllegalArgumentException.class, () -> new PruneNeurons(0, List.of(), null));
    NeuronMask others = NeuronMask.drawn(Map.of("x", 4), 0.5, new SplittableRandom(1));
    assertThrows(IllegalArgumentException.class, () -> others.applied(model));
  }
}
