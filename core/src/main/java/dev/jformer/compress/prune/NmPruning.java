package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.sparse.SparseLinear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;

/**
 * Prunes weights to N:M sparsity: of each M adjacent weights in a row the N largest are kept, such
 * as 2 of 4, as in <a href="https://arxiv.org/abs/2306.03805">The Emergence of Essential Sparsity
 * in Large Pre-trained Models: The Weights that Matter</a>. Their positions take half a bit to one
 * bit for each weight. It needs no data.
 *
 * @param keep N, number of weights kept
 * @param of M, size of a group, 2 to 8, a divisor of the layers' inputs
 */
@AutoService(Compression.class)
public record NmPruning(int keep, int of) implements Compression {
  /** Default: 2 of 4. */
  public NmPruning() {
    this(2, 4);
  }

  /** Checks the values. */
  public NmPruning {
    if (keep < 1 || keep >= of) {
      throw new IllegalArgumentException(
          "keep is " + keep + " and of is " + of + ": expected keep of at least 1 and below of");
    }
    new SparseLinear.Config(keep, of); // checks the rest
  }

  @Override
  public String type() {
    return "n-m";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    ModelRebuilder.expectPlain(type(), model.config());
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return Masks.highest(Magnitude.sizes(model), keep, of)
          .applied(model, new SparseLinear.Config(keep, of));
    }
  }
}
