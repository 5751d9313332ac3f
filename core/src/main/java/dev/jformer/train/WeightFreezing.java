package dev.jformer.train;

import dev.jformer.nn.Module;
import dev.jformer.nn.shift.ShiftWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Measures weight freezing, the share of weights of a shift network that never change in training,
 * as in <a href="https://arxiv.org/abs/2208.09708">DenseShift: Towards Accurate and Transferable
 * Low-Bit Shift Network</a>. It counts the shares whose sign, whose exponent, or neither changed
 * after any update. A weight of zero has no sign; a sign has changed when the opposite one occurs.
 * A change to or from zero is a change of the exponent. Only a part of the paper's text was
 * available, so the authors may count otherwise.
 */
public final class WeightFreezing implements Listener {
  private static final int ZERO = -1;

  /** The values that the weights of a layer had so far. */
  private static final class Seen {
    final byte[] firstSign;
    final int[] firstShift;
    final boolean[] signChanged;
    final boolean[] shiftChanged;

    Seen(byte[] signs, byte[] shifts) {
      this.firstSign = signs.clone();
      this.firstShift = new int[shifts.length];
      for (int i = 0; i < shifts.length; i++) {
        firstShift[i] = signs[i] == 0 ? ZERO : shifts[i];
      }
      this.signChanged = new boolean[shifts.length];
      this.shiftChanged = new boolean[shifts.length];
    }

    void look(byte[] signs, byte[] shifts) {
      for (int i = 0; i < signs.length; i++) {
        if (firstSign[i] == 0) {
          firstSign[i] = signs[i];
        }
        signChanged[i] |= signs[i] == -firstSign[i] && signs[i] != 0;
        shiftChanged[i] |= (signs[i] == 0 ? ZERO : shifts[i]) != firstShift[i];
      }
    }
  }

  private final Map<ShiftWeight, Seen> layers = new LinkedHashMap<>();

  /** Records the weights of a model before training. */
  public WeightFreezing(Module model) {
    model
        .modules()
        .values()
        .forEach(
            module -> {
              if (module instanceof ShiftWeight layer) {
                layers.put(layer, null);
              }
            });
    if (layers.isEmpty()) {
      throw new IllegalArgumentException(
          "this model has no weights that are powers of two: give it the projection denseshift or"
              + " shift-rounded");
    }
    look();
  }

  @Override
  public void step(Step step) {
    look();
  }

  /** Compares the present weights with the recorded ones. */
  public void look() {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      layers.replaceAll(
          (layer, seen) -> {
            byte[] signs = layer.signs().toBytes();
            byte[] shifts = layer.shifts().toBytes();
            if (seen == null) {
              return new Seen(signs, shifts);
            }
            seen.look(signs, shifts);
            return seen;
          });
    }
  }

  /** The share of weights whose sign never changed. */
  public double signs() {
    return share(true, false);
  }

  /** The share of weights whose exponent never changed. */
  public double shifts() {
    return share(false, true);
  }

  /** The share of weights whose sign and exponent never changed. */
  public double weights() {
    return share(true, true);
  }

  private double share(boolean sign, boolean shift) {
    double frozen = 0;
    double all = 0;
    for (Seen seen : layers.values()) {
      for (int i = 0; i < seen.signChanged.length; i++) {
        boolean changed = (sign && seen.signChanged[i]) || (shift && seen.shiftChanged[i]);
        frozen += changed ? 0 : 1;
      }
      all += seen.signChanged.length;
    }
    return frozen / all;
  }
}
