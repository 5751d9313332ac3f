package dev.jformer.testing;

import static dev.jformer.testing.Close.assertClose;
import static dev.jformer.testing.Close.assertSame;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.TokenMixer.Dependence;
import dev.jformer.mixer.attention.Attention;
import dev.jformer.mixer.attention.AttentionAccess;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The laws of token mixers at many lengths. Where a mixer declares a {@link Dependence}, or throws
 * {@link UnsupportedOperationException} as documented, a weaker law is checked, and that the
 * stronger one really does not hold.
 */
public final class MixerLaws {
  private static final int[] LENGTHS = {1, 2, 63, 64, 65, 127, 129, 200};
  private static final int BATCH = 2;

  private final TokenMixer mixer;
  private final int width;
  private final DType dtype;

  /** Laws for a mixer in inference mode, whose weights are of a type. */
  public MixerLaws(TokenMixer mixer, int width, DType dtype) {
    this.mixer = mixer;
    this.width = width;
    this.dtype = dtype;
  }

  private Tensor random(long batch, long length) {
    return Tensor.randn(batch, length, width).to(dtype);
  }

  /** The mixer's result, always with the same random draws. */
  private Tensor forward(Tensor x, Tensor paddingMask) {
    Random.seed(7);
    return mixer.forward(x, paddingMask);
  }

  private void assertNear(Tensor expected, Tensor actual, String what) {
    double scale = Math.max(1, expected.abs().max().item());
    double tolerance = (dtype == DType.FLOAT64 ? 1e-11 : 2e-5) * scale;
    assertClose(expected.toDoubles(), actual, tolerance, what);
  }

  /** Inputs from position t on, small or huge, do not change a bit of what stands before. */
  public void isCausal() {
    boolean exact = true;
    try (Mode mode = Autograd.noGrad()) {
      for (int length : LENGTHS) {
        Tensor x = random(BATCH, length);
        Tensor y = forward(x, null);
        for (int t : new int[] {length / 2, length - 1}) {
          for (double size : new double[] {1, 1e4}) {
            Tensor later = random(BATCH, length - t).mul(size);
            Tensor before = y.narrow(1, 0, t);
            Tensor changed = forward(Tensor.cat(1, x.narrow(1, 0, t), later), null).narrow(1, 0, t);
            if (mixer.dependences().contains(Dependence.LATER_TOKENS)) {
              exact &= before.sameAs(changed);
            } else {
              assertSame(before, changed, "outputs before " + t + " of " + length);
            }
          }
        }
      }
    }
    if (mixer.dependences().contains(Dependence.LATER_TOKENS)) {
      assertTrue(!exact, "the mixer declares that it depends on later tokens, but does not");
      noGradientFlowsBack();
    }
  }

  /** Later tokens have no weight: no gradient flows to them. */
  private void noGradientFlowsBack() {
    for (int length : new int[] {2, 65, 200}) {
      int t = length / 2;
      Tensor x = random(BATCH, length).requiresGrad(true);
      forward(x, null).narrow(1, 0, t).square().sum().backward();
      Tensor later = x.grad().narrow(1, t, length - t);
      assertEquals(0.0, later.abs().max().item(), "gradient of inputs from " + t + " on");
      mixer.clearGrads();
    }
  }

  /**
   * What stands in padding, wherever it lies, changes no other output by a bit; and a padded
   * sequence gives what it gives alone.
   */
  public void ignoresPadding() {
    boolean alike = true;
    try (Mode mode = Autograd.noGrad()) {
      for (int length : LENGTHS) {
        int real = Math.max(1, 2 * length / 3);
        Tensor paddingMask = mask(length, real);
        Tensor padding = paddingMask.not().unsqueeze(2);
        Tensor x = random(BATCH, length);
        Tensor other = random(BATCH, length).mul(100).where(padding, x);
        Tensor y = forward(x, paddingMask).maskedFill(padding, 0);
        assertTrue(y.isFinite().all(), "outputs are finite");
        assertSame(
            y, forward(other, paddingMask).maskedFill(padding, 0), "padded inputs of " + length);
        Tensor alone = forward(x.narrow(0, 0, 1).narrow(1, 0, real), null);
        Tensor padded = y.narrow(0, 0, 1).narrow(1, 0, real);
        if (mixer.dependences().contains(Dependence.PADDED_LENGTH)) {
          alike &= alone.sub(padded).abs().max().item() < 1e-3;
        } else {
          assertNear(alone, padded, real + " tokens padded to " + length);
        }
      }
    }
    if (mixer.dependences().contains(Dependence.PADDED_LENGTH)) {
      assertTrue(!alike, "the mixer declares that it depends on the padded length, but does not");
    }
  }

  /** Padding at the end of one sequence, and all over the other. */
  private static Tensor mask(int length, int real) {
    boolean[] flags = new boolean[BATCH * length];
    for (int i = 0; i < length; i++) {
      flags[i] = i < real;
      flags[length + i] = i % 3 != 1;
    }
    return Tensor.of(flags, BATCH, length);
  }

  /** A sequence gives in a batch what it gives alone. */
  public void treatsSequencesAlone() {
    try (Mode mode = Autograd.noGrad()) {
      for (int length : LENGTHS) {
        Tensor x = random(3, length);
        Tensor y = forward(x, null);
        for (int i = 0; i < 3; i++) {
          Tensor alone = forward(x.narrow(0, i, 1), null);
          assertNear(alone, y.narrow(0, i, 1), "sequence " + i + " of " + length + " tokens");
        }
      }
    }
  }

  /**
   * Decoding gives what the whole sequence gives, token by token and in pieces; again from the
   * start and, where the state can go back, from the middle; and with sequences in other places.
   */
  public void decodes() {
    try (Mode mode = Autograd.noGrad()) {
      for (int length : LENGTHS) {
        Tensor x = random(BATCH, length);
        TokenMixer.State first;
        try {
          first = mixer.start(BATCH, length);
        } catch (UnsupportedOperationException e) {
          assertTrue(e.getMessage().contains("cannot decode"), e.getMessage());
          return;
        }
        Tensor y = forward(x, null);
        int[] ones = new int[length];
        Arrays.fill(ones, 1);
        try (TokenMixer.State state = first) {
          assertNear(y, steps(x, state, ones), "token by token, " + length);
          assertEquals(length, state.length());
          fromTheMiddle(x, y, state);
          fromTheStart(x, y, state);
        }
        inOtherPlaces(x, y);
      }
    }
  }

  private void fromTheMiddle(Tensor x, Tensor y, TokenMixer.State state) {
    int length = (int) x.size(1);
    int half = length / 2;
    try {
      state.truncate(half);
    } catch (UnsupportedOperationException e) {
      assertEquals(length, state.length(), "a state that cannot go back stays as it was");
      return;
    }
    Tensor rest = x.narrow(1, half, length - half);
    assertNear(y.narrow(1, half, length - half), mixer.step(rest, state), "again from " + half);
  }

  private void fromTheStart(Tensor x, Tensor y, TokenMixer.State state) {
    int length = (int) x.size(1);
    state.truncate(0);
    assertEquals(0, state.length());
    int[] pieces = {length / 3, length / 2 - length / 3, length - length / 2};
    int[] plan = Arrays.stream(pieces).filter(piece -> piece > 0).toArray();
    assertNear(y, steps(x, state, plan), "again in pieces of " + Arrays.toString(plan));
  }

  private void inOtherPlaces(Tensor x, Tensor y) {
    int length = (int) x.size(1);
    int half = length / 2;
    for (long[] places : new long[][] {{1, 0}, {1}, {1, 0, 1}}) {
      Tensor rows = Tensor.of(places, places.length);
      try (TokenMixer.State state = mixer.start(BATCH, length)) {
        if (half > 0) {
          mixer.step(x.narrow(1, 0, half), state);
        }
        state.select(rows);
        Tensor moved = x.indexSelect(0, rows).narrow(1, half, length - half);
        if (half == 0) {
          continue;
        }
        assertNear(
            y.indexSelect(0, rows).narrow(1, half, length - half),
            mixer.step(moved, state),
            "sequences in the places " + Arrays.toString(places));
        state.truncate(0);
        assertNear(
            y.indexSelect(0, rows),
            mixer.step(x.indexSelect(0, rows), state),
            "again in the places " + Arrays.toString(places));
      }
    }
  }

  private Tensor steps(Tensor x, TokenMixer.State state, int... plan) {
    List<Tensor> parts = new ArrayList<>();
    int next = 0;
    for (int count : plan) {
      parts.add(mixer.step(x.narrow(1, next, count), state));
      next += count;
    }
    return Tensor.cat(1, parts.toArray(Tensor[]::new));
  }

  /** Taking the values by the weights gives the result. */
  public void hasItsWeights() {
    try (Mode mode = Autograd.noGrad()) {
      for (int length : LENGTHS) {
        Tensor x = random(BATCH, length);
        for (Tensor paddingMask : new Tensor[] {null, mask(length, Math.max(1, length / 2))}) {
          Tensor weights;
          try {
            Random.seed(7);
            weights = mixer.weights(x, paddingMask);
          } catch (UnsupportedOperationException e) {
            assertTrue(e.getMessage().contains("weights"), e.getMessage());
            return;
          }
          Tensor taken =
              mixer instanceof Attention attention
                  ? AttentionAccess.fromWeights(attention, weights, x, paddingMask)
                  : weights.squeeze(1).matmul(x);
          Tensor y = forward(x, paddingMask);
          if (paddingMask != null) {
            y = y.maskedFill(paddingMask.not().unsqueeze(2), 0);
            taken = taken.maskedFill(paddingMask.not().unsqueeze(2), 0);
          }
          assertNear(y, taken, "values by weights, " + length + " tokens");
        }
      }
    }
  }
}
