package dev.jformer.ffn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.config.Configs;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Loops;
import dev.jformer.testing.ModuleChecks;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(Scoped.class)
class GroupRationalKanTest {
  private static double[][] rational(double[][] x, Weights w, String name, int groups) {
    double[] a = w.vector(name + ".numerator");
    double[] b = w.vector(name + ".denominator");
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = x[t].clone();
      for (int c = 0; c < y[t].length; c++) {
        double v = x[t][c];
        double p = a[0] + a[1] * v + a[2] * v * v + a[3] * Math.pow(v, 3);
        p += a[4] * Math.pow(v, 4) + a[5] * Math.pow(v, 5);
        int g = 4 * (c * groups / y[t].length);
        double q = b[g] * v + b[g + 1] * v * v + b[g + 2] * Math.pow(v, 3);
        q += b[g + 3] * Math.pow(v, 4);
        y[t][c] = p / (1 + Math.abs(q));
      }
    }
    return y;
  }

  @Test
  void matchesItsDefinition() {
    Naive naive =
        (x, w) -> {
          double[][] hidden = Loops.linear(rational(x, w, "first", 2), w, "up");
          return Loops.linear(rational(hidden, w, "second", 2), w, "down");
        };
    GroupRationalKan.Config config =
        new GroupRationalKan.Config(2, GroupRationalKan.Start.GELU, 2, 0);
    ModuleChecks.matches(config.build(Sites.causal(4)), naive, 3, 4);
  }

  @ParameterizedTest
  @EnumSource(GroupRationalKan.Start.class)
  void keepsTheVarianceOfItsInput(GroupRationalKan.Start start) {
    Random.seed(1);
    BlockContext context =
        new BlockContext(
            256, 0, 1, 8, false, true, 0, new BlockContext.Init(0.02, false), new Linear.Config());
    GroupRationalKan.Config config = new GroupRationalKan.Config(8, start, 4, 0);
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(512, 256);
      assertEquals(1, config.build(context).forward(x).square().mean().item(), 0.1);
    }
  }

  @Test
  void isConfiguredByName() {
    assertEquals(
        new GroupRationalKan.Config(4, GroupRationalKan.Start.GELU, 4, 0),
        Configs.parse(
            "{\"type\":\"gr-kan\",\"groups\":4,\"start\":\"gelu\"}", ChannelMixer.Config.class));
    assertThrows(
        IllegalArgumentException.class,
        () -> new GroupRationalKan.Config().build(Sites.causal(12)));
  }
}
