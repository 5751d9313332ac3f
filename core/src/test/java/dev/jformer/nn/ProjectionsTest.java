package dev.jformer.nn;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the linear layers of every kind have to hold. */
@ExtendWith(Scoped.class)
class ProjectionsTest {
  private static final long IN = 64;
  private static final long OUT = 96;

  static List<Projection> kinds() {
    List<Projection> kinds = new ArrayList<>(Configs.parts(Projection.class).values());
    for (String json :
        List.of(
            "{'type':'sparse','execution':'dense'}",
            "{'type':'dsformer','execution':'dense'}",
            "{'type':'dsformer','execution':'factored'}",
            "{'type':'shift','arithmetic':'shifts'}",
            "{'type':'llm-int8','threshold':0}",
            "{'type':'ptq','symmetric':true}",
            "{'type':'llm-fp4','kind':'int'}",
            "{'type':'llm-fp4','kind':'searched'}")) {
      kinds.add(Configs.parse(json.replace('\'', '"'), Projection.class));
    }
    return kinds;
  }

  static Collection<ChannelMixer.Config> channelMixers() {
    return Configs.parts(ChannelMixer.Config.class).values();
  }

  @ParameterizedTest
  @MethodSource("channelMixers")
  void noTokensGiveNoTokens(ChannelMixer.Config kind) {
    ChannelMixer mixer = kind.build(Sites.causal(64));
    for (boolean training : new boolean[] {false, true}) {
      mixer.train(training);
      assertEquals(Shape.of(0, 3, 64), mixer.forward(Tensor.zeros(0, 3, 64)).shape());
      assertEquals(Shape.of(2, 0, 64), mixer.forward(Tensor.zeros(2, 0, 64)).shape());
    }
    mixer.close();
  }

  private static Layer layer(Projection kind) {
    Layer layer = kind.build(IN, OUT, true, Initializer.normal(0.2));
    layer.train(false);
    return layer;
  }

  /** No token gives no token, as where an expert is given none or a batch is empty. */
  @ParameterizedTest
  @MethodSource("kinds")
  void noRowsGiveNoRows(Projection kind) {
    Layer layer = layer(kind);
    try (Mode mode = Autograd.noGrad()) {
      assertEquals(Shape.of(0, OUT), layer.forward(Tensor.zeros(0, IN)).shape());
      assertEquals(Shape.of(2, 0, OUT), layer.forward(Tensor.zeros(2, 0, IN)).shape());
      assertEquals(Shape.of(0, 3, OUT), layer.forward(Tensor.zeros(0, 3, IN)).shape());
    }
    layer.close();
  }

  /** A row's result does not depend on how many rows there are, beyond rounding. */
  @ParameterizedTest
  @MethodSource("kinds")
  void rowsAreIndependent(Projection kind) {
    Layer layer = layer(kind);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(70, IN).mul(0.3);
      Tensor all = layer.forward(x);
      for (long rows : new long[] {1, 2, 16, 17, 33, 64}) {
        Tensor some = layer.forward(x.narrow(0, 0, rows).contiguous());
        assertClose(all.narrow(0, 0, rows).toDoubles(), some, 2e-4, rows + " rows");
      }
      assertEquals(DType.FLOAT32, all.dtype());
    }
    layer.close();
  }
}
