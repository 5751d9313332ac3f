package dev.jformer.position;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.MixerChecks;
import dev.jformer.testing.Scoped;
import dev.jformer.testing.Sites;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class RopeAlibiTest {
  @Test
  void rotatesAsRopeDoes() {
    Position both = new RopeAlibi.Config(50).build(12, 2, 6, 16);
    Position rope = new Rope.Config(50).build(12, 2, 6, 16);
    Tensor x = Tensor.randn(2, 2, 9, 6);
    assertSame(rope.rotate(x, 5), both.rotate(x, 5), "rotated");
    assertTrue(both.extrapolates());
  }

  /** Head h subtracts the distance divided by h, counted from 1. */
  @Test
  void slopesAreHarmonic() {
    Position both = new RopeAlibi.Config().build(12, 3, 4, 16);
    double[] expected = new double[3 * 2 * 7];
    for (int h = 0; h < 3; h++) {
      for (int q = 0; q < 2; q++) {
        for (int k = 0; k < 7; k++) {
          expected[(h * 2 + q) * 7 + k] = -Math.abs(4 + q - k) / (h + 1.0);
        }
      }
    }
    assertClose(expected, both.bias(4, 2, 7, false).to(DType.FLOAT64), 1e-6);
  }

  @Test
  void attentionWithBothIsCausalAndStreams() {
    Position position = new RopeAlibi.Config().build(12, 2, 6, 64);
    TokenMixer mixer = new SoftmaxAttention.Config(2, 0).build(Sites.causal(12), position);
    MixerChecks.causal(mixer, 12);
    MixerChecks.streams(mixer, 12);
    MixerChecks.ignoresPadding(mixer, 12);
  }
}
