package dev.jformer.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.NaiveAttention;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.nn.Activation;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.position.NoPosition;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.opentest4j.AssertionFailedError;

/** The checks fail where they should. */
@ExtendWith(Scoped.class)
class ChecksTest {
  private static final TokenMixer.Config ATTENTION = new SoftmaxAttention.Config(2, 0);

  private static TokenMixer causal() {
    return ATTENTION.build(Sites.causal(8), new NoPosition());
  }

  private static TokenMixer bidirectional() {
    return ATTENTION.build(Sites.bidirectional(8), new NoPosition());
  }

  /** Attention with one thing wrong. */
  private static final class Wrong extends TokenMixer {
    private final TokenMixer right = causal();
    private final boolean forgetsPadding;

    Wrong(boolean forgetsPadding) {
      this.forgetsPadding = forgetsPadding;
      child("right", TokenMixer.class, right);
    }

    @Override
    public Tensor forward(Tensor x, Tensor paddingMask) {
      return right.forward(x, forgetsPadding ? null : paddingMask);
    }

    @Override
    public State start(long batch, long capacity) {
      return right.start(batch, capacity);
    }

    @Override
    public Tensor step(Tensor x, State state) {
      Tensor y = right.step(x, state);
      return state.length() > 20 ? y.mul(1.5) : y;
    }
  }

  @Test
  void aMixerThatLooksAheadIsNotCausal() {
    assertThrows(AssertionError.class, () -> MixerChecks.causal(bidirectional(), 8));
  }

  @Test
  void aMixerThatForgetsPaddingIsFound() {
    assertThrows(AssertionError.class, () -> MixerChecks.ignoresPadding(new Wrong(true), 8));
  }

  @Test
  void aWrongLastStepIsFound() {
    assertThrows(AssertionError.class, () -> MixerChecks.streams(new Wrong(false), 8));
  }

  @Test
  void anotherReferenceIsFound() {
    assertThrows(
        AssertionFailedError.class,
        () -> MixerChecks.matches(causal(), new NaiveAttention(2, 2, false), 4, 8));
    Layer layer = new Linear(3, 3, true, Initializer.zeros());
    assertThrows(
        AssertionFailedError.class,
        () ->
            ModuleChecks.matches(layer, (x, w) -> Loops.linear(x, w.matrix("weight"), null), 2, 3));
  }

  @Test
  void aWrongGradientIsFound() {
    Layer straightThrough =
        new Layer() {
          @Override
          public Tensor forward(Tensor x) {
            // The values of a sigmoid with the gradient of the identity.
            return x.add(Activation.SIGMOID.apply(x).sub(x).detach());
          }
        };
    var error =
        assertThrows(
            AssertionFailedError.class,
            () ->
                ModuleChecks.matches(
                    straightThrough, (x, w) -> Loops.map(x, Loops::sigmoid), 2, 3));
    assertTrue(error.getMessage().contains("gradient of the input"), error.getMessage());
  }

  /** A mixer whose gradients are not those of its output. */
  @Test
  void aMixersWrongGradientIsFound() {
    TokenMixer right = causal();
    dev.jformer.check.MixerChecks.gradients(right, 8);
    TokenMixer wrong =
        new TokenMixer() {
          {
            child("right", TokenMixer.class, right);
          }

          @Override
          public Tensor forward(Tensor x, Tensor paddingMask) {
            return right.forward(x, paddingMask).mul(2).sub(right.forward(x, paddingMask).detach());
          }
        };
    AssertionError error =
        assertThrows(AssertionError.class, () -> dev.jformer.check.MixerChecks.gradients(wrong, 8));
    assertTrue(error.getMessage().contains("the gradient of "), error.getMessage());
    assertEquals(DType.FLOAT32, right.parameters().values().iterator().next().value().dtype());
  }

  @Test
  void theWorstElementIsNamed() {
    Tensor actual = Tensor.of(new double[] {1, 2, 3, 4.5, 5, Double.NaN}, 2, 3);
    var error =
        assertThrows(
            AssertionFailedError.class,
            () -> Close.assertClose(new double[] {1, 2, 3, 4, 5, 6}, actual, 1e-6));
    assertTrue(error.getMessage().contains("[1, 2]"), error.getMessage());
    assertTrue(error.getMessage().startsWith("2 of 6"), error.getMessage());
    Close.assertClose(new double[] {1, 2, 3, 4.5, 5, Double.NaN}, actual, 0);
  }

  @Test
  void theErrorFunctionIsExact() {
    // Abramowitz and Stegun, table 7.1.
    assertEquals(0.5204998778, Loops.erf(0.5), 1e-10);
    assertEquals(0.8427007929, Loops.erf(1), 1e-10);
    assertEquals(-0.9953222650, Loops.erf(-2), 1e-10);
    assertEquals(1, Loops.erf(5.9), 1e-12);
  }
}
