package dev.jformer.model;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Models whose blocks are run again and again. */
@ExtendWith(Scoped.class)
class LoopConfigTest {
  private static InContextModel model(LoopConfig loop) {
    Random.seed(3);
    InContextModel model =
        Weights.draw(
            new InContextModel.Config()
                .with(c -> c.inputs(3).length(70).loop(loop))
                .withStack(s -> s.layers(2).width(8))
                .withBlock(
                    b -> b.mixer(new dev.jformer.mixer.attention.SoftmaxAttention.Config(2, 0)))
                .build());
    model.train(false);
    return model;
  }

  /** The prediction written out, with the model's parts as they are listed. */
  private static Tensor naive(InContextModel model, Tensor x, Tensor y, int times) {
    Map<String, Module> parts = model.modules();
    Tensor pairs =
        Tensor.stack(
                2,
                ((Layer) parts.get("input")).forward(x),
                ((Layer) parts.get("output")).forward(y.unsqueeze(2)))
            .flatten(1, 2);
    LoopConfig loop = model.config().loop();
    Tensor injected = loop.before() == 0 ? pairs : run(parts, "before.", pairs, loop.before());
    Tensor state = injected.zerosLike();
    for (int i = 0; i < times; i++) {
      state = run(parts, "", state.add(injected), 2);
    }
    Tensor last = loop.after() == 0 ? state : run(parts, "after.", state, loop.after());
    return ((Layer) parts.get("head")).forward(last.unflatten(1, x.size(1), 2).select(2, 0));
  }

  private static Tensor run(Map<String, Module> parts, String place, Tensor x, int blocks) {
    Parameter positions = parts.get(place + "position").parameters().get("weight");
    Tensor h = positions == null ? x : x.add(positions.value().narrow(0, 0, x.size(1)));
    for (int i = 0; i < blocks; i++) {
      h = ((Block) parts.get(place + "blocks." + i)).forward(h, null);
    }
    return ((Layer) parts.get(place + "norm")).forward(h);
  }

  @Test
  void iterationsAreWhatIsWrittenOut() {
    for (LoopConfig loop :
        List.of(
            new LoopConfig(),
            new LoopConfig(0, 4, 0, 2),
            LoopConfig.algoFormer(3, 3),
            new LoopConfig(2, 1, 0, 1),
            new LoopConfig(0, 2, 2, 1))) {
      try (InContextModel model = model(loop);
          Mode mode = Autograd.noGrad()) {
        for (int length : new int[] {1, 2, 33, 65}) {
          Tensor x = Tensor.randn(2, length, 3).to(DType.FLOAT64);
          Tensor y = Tensor.randn(2, length).to(DType.FLOAT64);
          List<Tensor> all = model.predictions(x, y);
          assertEquals(loop.learned(), all.size());
          for (int i = 0; i < all.size(); i++) {
            int times = loop.times() - loop.learned() + 1 + i;
            assertClose(naive(model, x, y, times), all.get(i), 1e-10);
          }
          assertClose(all.get(all.size() - 1), model.predict(x, y), 0);
          List<Tensor> more = model.iterate(x, y, 6, 6);
          assertEquals(6, more.size());
          assertClose(naive(model, x, y, 6), more.get(5), 1e-10);
        }
      }
    }
  }

  /** A loop has the weights of its blocks once. */
  @Test
  void weightsAreShared() {
    try (InContextModel plain = model(new LoopConfig());
        InContextModel looped = model(new LoopConfig(0, 20, 0, 15));
        InContextModel former = model(LoopConfig.algoFormer(20, 15))) {
      assertEquals(plain.parameters().keySet(), looped.parameters().keySet());
      assertTrue(former.parameterCount() > looped.parameterCount());
      assertTrue(looped.toString().contains("2 layers, 20 times"), looped.toString());
    }
  }

  /** The gradient of a weight of the loop is the sum over iterations: against differences. */
  @Test
  void gradientsFlowThroughAllIterations() {
    try (InContextModel model = model(LoopConfig.algoFormer(4, 2))) {
      Tensor x = Tensor.randn(2, 5, 3).to(DType.FLOAT64);
      Tensor y = Tensor.randn(2, 5).to(DType.FLOAT64);
      for (String name : List.of("norm.weight", "before.norm.weight", "after.norm.weight")) {
        Tensor weight = model.parameters().get(name).value();
        model.clearGrads();
        loss(model, x, y).backward();
        double gradient = weight.grad().narrow(0, 0, 1).item();
        double step = 1e-5;
        double difference = (moved(model, weight, x, y, step) - moved(model, weight, x, y, -step));
        assertEquals(difference / (2 * step), gradient, 1e-5 * (1 + Math.abs(gradient)), name);
      }
    }
  }

  private static Tensor loss(InContextModel model, Tensor x, Tensor y) {
    Tensor sum = Tensor.zeros(DType.FLOAT64, 1);
    for (Tensor predicted : model.predictions(x, y)) {
      sum = sum.add(predicted.select(2, 0).sub(y).square().mean());
    }
    return sum.sum();
  }

  private static double moved(
      InContextModel model, Tensor weight, Tensor x, Tensor y, double step) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor first = weight.narrow(0, 0, 1);
      first.add_(step);
      double loss = loss(model, x, y).item();
      first.add_(-step);
      return loss;
    }
  }

  @Test
  void loopsThatCannotBeAreRefused() {
    String message =
        assertThrows(IllegalArgumentException.class, () -> new LoopConfig(0, 3, 0, 4)).getMessage();
    assertTrue(message.contains("learned"), message);
    assertThrows(IllegalArgumentException.class, () -> new LoopConfig(0, 0, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new LoopConfig(-1, 1, 0, 1));
  }
}
