package dev.jformer.train;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.Mlp;
import dev.jformer.ffn.PerLayer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(Scoped.class)
class LearngeneOptimizerTest {
  private static CausalLm model(int layers) {
    Random.seed(layers);
    return new CausalLm.Config()
        .with(c -> c.vocab(20).length(16))
        .withStack(s -> s.layers(layers).width(8))
        .withBlock(b -> b.dropout(0).bias(true).mixer(new SoftmaxAttention.Config(2, 0)))
        .build();
  }

  private static Map<String, double[]> values(Model model) {
    Map<String, double[]> all = new LinkedHashMap<>();
    model.parameters().forEach((name, p) -> all.put(name, p.value().detach().toDoubles()));
    return all;
  }

  private static String prefix(Model model) {
    return model.parameters().keySet().stream()
        .filter(name -> name.contains("blocks.0."))
        .findFirst()
        .orElseThrow()
        .replaceAll("blocks\\.0\\..*", "blocks.");
  }

  private static void backward(CausalLm model, long seed) {
    Random.seed(seed);
    Tensor ids = Tensor.randint(0, 20, 3, 9);
    model.clearGrads();
    model.loss(ids, ids).backward();
  }

  /**
   * Steps of momentum-free descent on θ_A and θ_B, by the chain rule in float64, from the gradients
   * of the blocks.
   */
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 6})
  void followsTheChainRule(int layers) {
    CausalLm model = model(layers);
    String prefix = prefix(model);
    var settings =
        new LearngeneOptimizer.Config(new Sgd.Config().with(s -> s.momentum(0).weightDecay(0)));
    try (Optimizer optimizer = settings.build(model)) {
      Map<String, double[]> bases = new LinkedHashMap<>();
      Map<String, double[]> slopes = new LinkedHashMap<>();
      Map<String, double[]> begin = values(model);
      begin.forEach(
          (name, value) -> {
            if (name.startsWith(prefix + "0.")) {
              String rest = name.substring(prefix.length() + 2);
              double[] next = begin.get(prefix + "1." + rest);
              double[] slope = new double[value.length];
              for (int i = 0; i < slope.length; i++) {
                slope[i] = (next[i] - value[i]) * layers;
              }
              bases.put(rest, value.clone());
              slopes.put(rest, slope);
            }
          });
      for (int step = 0; step < 3; step++) {
        try (Scope scope = Scope.open()) {
          backward(model, step);
          double rate = 0.05 * (step + 1);
          Map<String, Parameter> parameters = model.parameters();
          Map<String, double[]> rest = new LinkedHashMap<>();
          parameters.forEach(
              (name, p) -> {
                double[] gradient = p.value().grad().toDoubles();
                if (!name.startsWith(prefix)) {
                  double[] value = p.value().detach().toDoubles();
                  descend(value, gradient, rate);
                  rest.put(name, value);
                } else {
                  String[] parts = name.substring(prefix.length()).split("\\.", 2);
                  double t = Double.parseDouble(parts[0]) / layers;
                  descend(bases.get(parts[1]), gradient, rate);
                  descend(slopes.get(parts[1]), gradient, rate * t);
                }
              });
          optimizer.step(rate);
          values(model)
              .forEach(
                  (name, found) -> {
                    double[] expected = rest.get(name);
                    if (expected == null) {
                      String[] parts = name.substring(prefix.length()).split("\\.", 2);
                      double t = Double.parseDouble(parts[0]) / layers;
                      double[] base = bases.get(parts[1]);
                      double[] slope = slopes.get(parts[1]);
                      expected = new double[base.length];
                      for (int i = 0; i < expected.length; i++) {
                        expected[i] = base[i] + t * slope[i];
                      }
                    }
                    for (int i = 0; i < expected.length; i++) {
                      assertEquals(expected[i], found[i], 2e-5, name);
                    }
                  });
        }
      }
    }
  }

  private static void descend(double[] value, double[] gradient, double rate) {
    for (int i = 0; i < value.length; i++) {
      value[i] -= rate * gradient[i];
    }
  }

  /** Matrices of blocks lie on a line from the start; gains and biases are all the same. */
  @Test
  void beginsAsThePaperDoes() {
    CausalLm model = model(6);
    Map<String, double[]> before = values(model);
    String prefix = prefix(model);
    new LearngeneOptimizer.Config().build(model).close();
    values(model)
        .forEach(
            (name, value) -> {
              if (!name.startsWith(prefix)) {
                assertEquals(value[0], before.get(name)[0], name);
              } else if (model.parameters().get(name).value().rank() < 2) {
                String first = name.replaceFirst("blocks\\.\\d+\\.", "blocks.0.");
                assertEquals(before.get(first)[0], value[0], name);
              } else {
                int block = Integer.parseInt(name.substring(prefix.length()).split("\\.")[0]);
                double base = before.get(name.replaceFirst("blocks\\.\\d+", "blocks.0"))[0];
                double slope = before.get(name.replaceFirst("blocks\\.\\d+", "blocks.1"))[0];
                assertEquals(base + block / 6.0 * slope, value[0], 1e-7, name);
              }
            });
    assertTrue(DepthLines.of(model.parameters()).stream().allMatch(Expansion::isLinear));
  }

  /** A new optimizer of a model on a line goes on from there, without moving it. */
  @Test
  void goesOnFromALine() {
    CausalLm model = model(4);
    try (Optimizer optimizer = new LearngeneOptimizer.Config().build(model)) {
      backward(model, 1);
      optimizer.step(0.01);
    }
    Map<String, double[]> before = values(model);
    new LearngeneOptimizer.Config().build(model).close();
    values(model)
        .forEach(
            (name, value) -> {
              for (int i = 0; i < value.length; i++) {
                assertEquals(before.get(name)[i], value[i], 1e-6, name);
              }
            });
  }

  @Test
  void itsStateContinuesExactly() {
    CausalLm one = model(3);
    CausalLm two = model(3);
    try (Optimizer first = new LearngeneOptimizer.Config().build(one);
        Optimizer second = new LearngeneOptimizer.Config().build(two)) {
      for (int step = 0; step < 2; step++) {
        backward(one, step);
        first.step(0.01);
      }
      two.copyFrom(one);
      second.restore(first.state());
      backward(one, 7);
      first.step(0.01);
      backward(two, 7);
      second.step(0.01);
      one.parameters()
          .forEach((name, p) -> assertClose(p.value(), two.parameters().get(name).value(), 0));
      assertTrue(first.state().keySet().stream().anyMatch(n -> n.contains(".slope.")));
    }
  }

  @Test
  void refusesBlocksThatDiffer() {
    ChannelMixer.Config small = new Mlp.Config(Activation.GELU, 2, 0);
    ChannelMixer.Config large = new Mlp.Config(Activation.GELU, 4, 0);
    CausalLm model =
        new CausalLm.Config()
            .withStack(s -> s.layers(2).width(8))
            .withBlock(
                b ->
                    b.mixer(new SoftmaxAttention.Config(2, 0))
                        .ffn(new PerLayer.Config(List.of(small, large))))
            .build();
    String message =
        assertThrows(
                IllegalArgumentException.class, () -> new LearngeneOptimizer.Config().build(model))
            .getMessage();
    assertTrue(message.contains("the blocks differ in"), message);
    Embedding none = new Embedding(4, 4, Initializer.normal(1));
    String blocks =
        assertThrows(
                IllegalArgumentException.class, () -> new LearngeneOptimizer.Config().build(none))
            .getMessage();
    assertTrue(blocks.contains("no blocks"), blocks);
    assertThrows(
        IllegalArgumentException.class,
        () -> new LearngeneOptimizer.Config(new LearngeneOptimizer.Config()));
  }
}
