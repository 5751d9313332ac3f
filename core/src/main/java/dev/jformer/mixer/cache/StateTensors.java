package dev.jformer.mixer.cache;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/** Operations on the tensors of decoding states. */
public final class StateTensors {
  private StateTensors() {}

  /**
   * Reorders sequences; see {@link TokenMixer.State#select}.
   *
   * @param kept [B, ...], which is released; may be null
   * @param rows int64 [n]
   * @return [n, ...], kept; null for null
   */
  public static Tensor selected(Tensor kept, Tensor rows) {
    if (kept == null) {
      return null;
    }
    // Outside of inference mode, so that later steps may run in it or not.
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noInference();
        Mode constant = Autograd.noGrad()) {
      Tensor chosen = kept.indexSelect(0, rows).keep();
      kept.close();
      return chosen;
    }
  }
}
