package dev.jformer.testing;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
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

  /**
   * No output depends on a later input: other inputs from position t on, small or huge, do not
   * change a bit of what stands before. And the mixer does mix: what follows changes.
   */
  public static void causal(TokenMixer mixer, int width) {
    mixer.train(false);
    try (Mode mode = Autograd.noGrad()) {
      for (int length : new int[] {2, 7, 33}) {
        Tensor x = Tensor.randn(BATCH, length, width);
        Tensor y = mixer.forward(x, null);
        for (int t : new int[] {1, length / 2, length - 1}) {
          for (double size : new double[] {1, 1e4}) {
            Tensor other = Tensor.randn(BATCH, length - t, width).mul(size);
            Tensor changed = mixer.forward(Tensor.cat(1, x.narrow(1, 0, t), other), null);
            assertSame(
                y.narrow(1, 0, t),
                changed.narrow(1, 0, t),
                "outputs before position " + t + " of " + length + ", where inputs changed");
            assertFalse(
                y.narrow(1, t, length - t).sameAs(changed.narrow(1, t, length - t)),
                "outputs from position " + t + " on do not depend on the inputs there");
          }
        }
        Tensor first = Tensor.cat(1, Tensor.randn(BATCH, 1, width), x.narrow(1, 1, length - 1));
        assertFalse(
            y.select(1, length - 1).sameAs(mixer.forward(first, null).select(1, length - 1)),
            "the last output does not depend on the first input: nothing is mixed");
      }
    }
  }

  /**
   * Decoding gives what the whole sequence at once gives, to 1e-5: token by token, in chunks of
   * several sizes, and, where the state can go back, again from the middle.
   */
  public static void streams(TokenMixer mixer, int width) {
    streams(mixer, width, 1e-5);
  }

  /** As {@link #streams(TokenMixer, int)} with another tolerance. */
  public static void streams(TokenMixer mixer, int width, double tolerance) {
    mixer.train(false);
    int length = 21;
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(BATCH, length, width);
      Tensor whole = mixer.forward(x, null);
      int[][] plans = {
        new int[length], {length}, {1, length - 1}, {length - 1, 1}, {5, 1, 1, 8, 3, 3}
      };
      java.util.Arrays.fill(plans[0], 1);
      for (int[] plan : plans) {
        try (TokenMixer.State state = mixer.start(BATCH, length)) {
          assertEquals(0, state.length(), "tokens seen at the start");
          Tensor parts = steps(mixer, x, state, 0, plan);
          assertEquals(length, state.length(), "tokens seen");
          assertTrue(state.bytes() > 0, "bytes held");
          assertClose(
              whole.toDoubles(),
              parts,
              tolerance,
              "decoding in chunks of " + java.util.Arrays.toString(plan));
        }
      }
      goesBack(mixer, x, whole, tolerance);
      exchanges(mixer, x, tolerance);
    }
  }

  /** Sequences in other places go on as they would have where they were. */
  private static void exchanges(TokenMixer mixer, Tensor x, double tolerance) {
    int length = (int) x.size(1);
    int first = length / 2;
    for (long[] places : new long[][] {{1, 0}, {1}, {1, 0, 1}}) {
      Tensor rows = Tensor.of(places);
      Tensor moved = x.indexSelect(0, rows);
      try (TokenMixer.State state = mixer.start(BATCH, length)) {
        steps(mixer, x, state, 0, first);
        try {
          state.select(rows);
        } catch (UnsupportedOperationException e) {
          return;
        }
        assertClose(
            mixer.forward(moved, null).narrow(1, first, length - first).toDoubles(),
            steps(mixer, moved, state, first, 1, length - first - 1),
            tolerance,
            "sequences in the places " + java.util.Arrays.toString(places));
      }
    }
  }

  private static void goesBack(TokenMixer mixer, Tensor x, Tensor whole, double tolerance) {
    int length = (int) x.size(1);
    int back = length / 3;
    try (TokenMixer.State state = mixer.start(BATCH, length)) {
      Tensor wrong = Tensor.randn(BATCH, length - back, x.size(2));
      steps(mixer, Tensor.cat(1, x.narrow(1, 0, back), wrong), state, 0, back, length - back);
      try {
        state.truncate(back);
      } catch (UnsupportedOperationException e) {
        return;
      }
      assertEquals(back, state.length(), "tokens seen after going back");
      assertClose(
          whole.narrow(1, back, length - back).toDoubles(),
          steps(mixer, x, state, back, 1, length - back - 1),
          tolerance,
          "decoding again from position " + back);
    }
  }

  private static Tensor steps(
      TokenMixer mixer, Tensor x, TokenMixer.State state, int start, int... plan) {
    Tensor[] parts = new Tensor[plan.length];
    int next = start;
    for (int i = 0; i < plan.length; i++) {
      parts[i] = mixer.step(x.narrow(1, next, plan[i]), state);
      next += plan[i];
    }
    return Tensor.cat(1, parts);
  }

  /**
   * Padding is not seen: what stands in padded positions, wherever they lie, changes no other
   * output by a bit; a sequence padded at its end gives what it gives without padding; every output
   * is finite, and gradients are.
   */
  public static void ignoresPadding(TokenMixer mixer, int width) {
    mixer.train(false);
    int length = 12;
    boolean[][] masks = {
      mask("111111110000", "111111111111"),
      mask("000011111111", "000000000001"),
      mask("011011100101", "100000000000"),
    };
    for (boolean[] mask : masks) {
      Tensor paddingMask = Tensor.of(mask, BATCH, length);
      Tensor x = Tensor.randn(BATCH, length, width).requiresGrad(true);
      Tensor padding = paddingMask.not().unsqueeze(2);
      Tensor other = Tensor.randn(BATCH, length, width).mul(100).where(padding, x.detach());
      Tensor y = mixer.forward(x, paddingMask);
      Tensor changed = mixer.forward(other, paddingMask);
      assertTrue(y.isFinite().all(), "outputs are finite under the mask " + paddingMask);
      assertSame(
          y.detach().maskedFill(padding, 0),
          changed.detach().maskedFill(padding, 0),
          "kept outputs, where padded inputs changed");
      mixer.clearGrads();
      y.maskedFill(padding, 0).square().sum().backward();
      assertTrue(x.grad().isFinite().all(), "gradients are finite under the mask " + paddingMask);
      mixer
          .parameters()
          .forEach(
              (name, parameter) -> {
                Tensor gradient = parameter.value().grad();
                assertTrue(
                    gradient == null || gradient.isFinite().all(),
                    "the gradient of " + name + " is finite");
              });
    }
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(BATCH, length, width);
      boolean[] mask = mask("111111110000", "111111110000");
      Tensor padded = mixer.forward(x, Tensor.of(mask, BATCH, length)).narrow(1, 0, 8);
      Tensor alone = mixer.forward(x.narrow(1, 0, 8), null);
      assertClose(alone.toDoubles(), padded, 1e-5, "a sequence padded at its end");
    }
  }

  private static boolean[] mask(String first, String second) {
    String both = first + second;
    boolean[] mask = new boolean[both.length()];
    for (int i = 0; i < mask.length; i++) {
      mask[i] = both.charAt(i) == '1';
    }
    return mask;
  }
}
