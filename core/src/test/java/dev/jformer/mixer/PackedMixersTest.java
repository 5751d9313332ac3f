package dev.jformer.mixer;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.nn.BlockContext;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Packing;
import dev.jformer.position.Alibi;
import dev.jformer.position.NoPosition;
import dev.jformer.position.Position;
import dev.jformer.position.Rope;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Weights;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A sequence gives in a row of several what it gives alone, with every mixer of the library. */
@ExtendWith(Scoped.class)
class PackedMixersTest {
  private static final int WIDTH = 16;
  private static final List<List<Integer>> ROWS = List.of(List.of(1, 65, 2, 132), List.of(129, 71));

  @Test
  void sequencesOfARowAreIndependent() {
    int checked = 0;
    for (TokenMixer.Config config : Configs.parts(TokenMixer.Config.class).values()) {
      for (boolean causal : new boolean[] {true, false}) {
        for (Position.Config position :
            List.of(new NoPosition.Config(), new Rope.Config(), new Alibi.Config())) {
          checked += check(config, causal, position) ? 1 : 0;
        }
      }
    }
    assertTrue(checked > 50, "mixers were checked: " + checked);
  }

  /** Whether the mixer could be built, and draws nothing at random. */
  private static boolean check(TokenMixer.Config config, boolean causal, Position.Config position) {
    Random.seed(5);
    BlockContext context =
        new BlockContext(
            WIDTH, 0, 2, 256, causal, true, 0, new BlockContext.Init(), new Linear.Config());
    int heads = config.heads();
    TokenMixer mixer;
    try {
      Position built = position.build(WIDTH, heads, WIDTH / heads, 256);
      mixer = Weights.draw(config.build(context, built));
    } catch (IllegalArgumentException e) {
      return false; // refused with a reason: biases of pairs, or a direction
    }
    mixer.train(false);
    Tensor x = Tensor.randn(2, 200, WIDTH).to(DType.FLOAT64);
    try (Mode mode = Autograd.noGrad();
        mixer) {
      if (!mixer.forward(x, null).sameAs(mixer.forward(x, null))) {
        return false; // it draws at random
      }
      Tensor packed = mixer.forwardPacked(x, new Packing(ROWS));
      for (int row = 0; row < ROWS.size(); row++) {
        int start = 0;
        for (int length : ROWS.get(row)) {
          Tensor alone = mixer.forward(x.narrow(0, row, 1).narrow(1, start, length), null);
          Tensor found = packed.narrow(0, row, 1).narrow(1, start, length);
          String what = config.type() + (causal ? ", causal, " : ", ") + position.type();
          double scale = Math.max(1, alone.abs().max().item());
          assertClose(alone.toDoubles(), found, 1e-11 * scale, what + " at " + start);
          start += length;
        }
      }
    }
    return true;
  }
}
