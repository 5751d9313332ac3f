package dev.jformer.check;

import static dev.jformer.check.Expect.equal;
import static dev.jformer.check.Expect.near;
import static dev.jformer.check.Expect.same;
import static dev.jformer.check.Expect.that;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.DoubleSupplier;

/**
 * Checks that every token mixer has to pass, for tests of your own parts, with any test framework:
 * a check that fails throws an {@link AssertionError} that says what differs. Mixers are used as
 * they were built, in float32, and in inference mode, without dropout.
 *
 * <pre>{@code
 * try (Scope scope = Scope.open()) {
 *   Random.seed(1);
 *   MixerChecks.causal(causal, width);
 *   MixerChecks.streams(causal, width);
 *   MixerChecks.ignoresPadding(bidirectional, width);
 *   MixerChecks.gradients(causal, width);
 * }
 * }</pre>
 *
 * <p>A mixer that works in blocks or chunks should be checked with blocks that are shorter than the
 * sequences here, which have 2 to 33 tokens.
 */
public final class MixerChecks {
  private static final int BATCH = 2;
  private static final int GRADIENT_LENGTH = 9;
  private static final double STEP = 1e-6;
  private static final double GRADIENT_TOLERANCE = 1e-4;

  private MixerChecks() {}

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
            same(
                y.narrow(1, 0, t),
                changed.narrow(1, 0, t),
                "outputs before position " + t + " of " + length + ", where inputs changed");
            that(
                !y.narrow(1, t, length - t).sameAs(changed.narrow(1, t, length - t)),
                "outputs from position " + t + " on do not depend on the inputs there");
          }
        }
        Tensor first = Tensor.cat(1, Tensor.randn(BATCH, 1, width), x.narrow(1, 1, length - 1));
        that(
            !y.select(1, length - 1).sameAs(mixer.forward(first, null).select(1, length - 1)),
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
          equal(0, state.length(), "tokens seen at the start");
          Tensor parts = steps(mixer, x, state, 0, plan);
          equal(length, state.length(), "tokens seen");
          that(state.bytes() > 0, "the state of decoding holds no bytes");
          near(whole, parts, tolerance, "decoding in chunks of " + java.util.Arrays.toString(plan));
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
        near(
            mixer.forward(moved, null).narrow(1, first, length - first),
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
      equal(back, state.length(), "tokens seen after going back");
      near(
          whole.narrow(1, back, length - back),
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
      that(y.isFinite().all(), "outputs are not finite under the mask " + paddingMask);
      same(
          y.detach().maskedFill(padding, 0),
          changed.detach().maskedFill(padding, 0),
          "kept outputs, where padded inputs changed");
      mixer.clearGrads();
      y.maskedFill(padding, 0).square().sum().backward();
      that(x.grad().isFinite().all(), "gradients are not finite under the mask " + paddingMask);
      mixer
          .parameters()
          .forEach(
              (name, parameter) -> {
                Tensor gradient = parameter.value().grad();
                that(
                    gradient == null || gradient.isFinite().all(),
                    "the gradient of " + name + " is not finite");
              });
    }
    try (Mode mode = Autograd.noGrad()) {
      Tensor x = Tensor.randn(BATCH, length, width);
      boolean[] mask = mask("111111110000", "111111110000");
      Tensor padded = mixer.forward(x, Tensor.of(mask, BATCH, length)).narrow(1, 0, 8);
      Tensor alone = mixer.forward(x.narrow(1, 0, 8), null);
      near(alone, padded, 1e-5, "a sequence padded at its end");
    }
  }

  /**
   * Gradients of the input and of every weight are those of the output, by central differences
   * along random directions, in float64. The weights are float32 again afterwards.
   */
  public static void gradients(TokenMixer mixer, int width) {
    Map<String, Tensor> before = new LinkedHashMap<>();
    mixer.parameters().forEach((name, p) -> before.put(name, p.value().detach().copy()));
    mixer.train(false);
    try {
      mixer
          .parameters()
          .values()
          .forEach(
              p -> {
                if (p.value().dtype().isFloating()) {
                  p.replace(p.value().detach().to(DType.FLOAT64).copy());
                }
              });
      Tensor x = Tensor.randn(BATCH, GRADIENT_LENGTH, width).to(DType.FLOAT64);
      Tensor input = x.copy().requiresGrad(true);
      mixer.clearGrads();
      Tensor y = mixer.forward(input, null);
      Tensor outward = Tensor.randn(y.shape().toArray()).to(DType.FLOAT64);
      y.mul(outward).sum().backward();
      slope("the input", input.detach(), input.grad(), () -> output(mixer, input, outward));
      mixer
          .parameters()
          .forEach(
              (name, p) -> {
                if (p.value().requiresGrad()) {
                  Tensor gradient = p.value().grad();
                  that(gradient != null, "no gradient flows to " + name);
                  slope(name, p.value().detach(), gradient, () -> output(mixer, input, outward));
                }
              });
    } finally {
      mixer.parameters().forEach((name, p) -> p.replace(before.get(name)));
    }
  }

  private static double output(TokenMixer mixer, Tensor x, Tensor outward) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return mixer.forward(x.detach(), null).mul(outward).sum().item();
    }
  }

  /** Compares a gradient with the change of the output along a random direction. */
  private static void slope(String name, Tensor values, Tensor gradient, DoubleSupplier output) {
    try (Mode mode = Autograd.noGrad()) {
      Tensor start = values.copy();
      Tensor direction = Tensor.randn(values.shape().toArray()).to(DType.FLOAT64);
      values.copy_(start.add(direction.mul(STEP)));
      double above = output.getAsDouble();
      values.copy_(start.sub(direction.mul(STEP)));
      double below = output.getAsDouble();
      values.copy_(start);
      double expected = (above - below) / (2 * STEP);
      double computed = gradient.mul(direction).sum().item();
      double size = Math.max(1, Math.abs(expected));
      that(
          Math.abs(expected - computed) <= GRADIENT_TOLERANCE * size,
          "the gradient of "
              + name
              + " along a direction is "
              + computed
              + ", but the output changes by "
              + expected);
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
