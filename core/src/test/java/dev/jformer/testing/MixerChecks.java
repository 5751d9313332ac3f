package dev.jformer.testing;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * What every token mixer has to hold, whatever it computes. The mixers are used as they were built,
 * in float32, and in inference mode.
 */
public final class MixerChecks {
  private static final int BATCH = 2;

  private MixerChecks() {}

  /** Output and gradients are the reference's; see {@link ModuleChecks#matches}. */
  public static void matches(TokenMixer mixer, Naive naive, int length, int width) {
    Tensor x = Tensor.randn(BATCH, length, width).to(DType.FLOAT64);
    ModuleChecks.matches(mixer, input -> mixer.forward(input, null), naive, x);
  }

  /** See {@link dev.jformer.check.MixerChecks#causal}. */
  public static void causal(TokenMixer mixer, int width) {
    dev.jformer.check.MixerChecks.causal(mixer, width);
  }

  /** See {@link dev.jformer.check.MixerChecks#streams(TokenMixer, int)}. */
  public static void streams(TokenMixer mixer, int width) {
    dev.jformer.check.MixerChecks.streams(mixer, width);
  }

  /** See {@link dev.jformer.check.MixerChecks#streams(TokenMixer, int, double)}. */
  public static void streams(TokenMixer mixer, int width, double tolerance) {
    dev.jformer.check.MixerChecks.streams(mixer, width, tolerance);
  }

  /** See {@link dev.jformer.check.MixerChecks#ignoresPadding}. */
  public static void ignoresPadding(TokenMixer mixer, int width) {
    dev.jformer.check.MixerChecks.ignoresPadding(mixer, width);
  }
}
