package dev.jformer.mixer.recurrent;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import dev.jformer.testing.Weights;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * The Legendre memory unit with as many numbers as LMUFormer has, beyond what {@code
 * RecurrentMixersTest} and {@code MixerLawsTest} check of small ones.
 */
@ExtendWith(Scoped.class)
class LmuTest {
  private static final int WIDTH = 4;

  /** Within 1e-4 in float32 and 1e-10 in float64, for 256 numbers over 128 tokens and more. */
  @Test
  void decodingIsTheWholeSequence() {
    Random.seed(11);
    for (DType dtype : new DType[] {DType.FLOAT32, DType.FLOAT64}) {
      TokenMixer mixer =
          Weights.draw(new Lmu.Config(256, 128, 2).build(Sites.causal(WIDTH), new NoPosition()));
      mixer.parameters().values().forEach(p -> p.replace(p.value().to(dtype)));
      mixer.train(false);
      Tensor x = Tensor.randn(2, 200, WIDTH).to(dtype);
      try (Mode mode = Autograd.noGrad();
          TokenMixer.State state = mixer.start(2, 200)) {
        Tensor whole = mixer.forward(x, null);
        for (int t = 0; t < 200; t++) {
          assertClose(
              whole.narrow(1, t, 1).contiguous().toDoubles(),
              mixer.step(x.narrow(1, t, 1), state),
              dtype == DType.FLOAT64 ? 1e-10 : 1e-4,
              "token " + t);
        }
      }
    }
  }

  @Test
  void refusesSizesThatCannotBe() {
    assertThrows(IllegalArgumentException.class, () -> new Lmu.Config(-1, 0, 1));
    assertThrows(IllegalArgumentException.class, () -> new Lmu.Config(0, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> new Lmu.Config(0, 0, 0));
  }
}
