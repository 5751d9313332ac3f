package dev.jformer.compress.prune;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Leaves out the smallest weights of a model's linear layers, at once and without training after
 * it: one-shot magnitude pruning as it is studied in arXiv 2306.03805. What is left is kept in a
 * {@linkplain dev.jformer.nn.sparse.SparseLinear sparse} form. It needs no data.
 *
 * @param sparsity the share that is left out
 * @param reach whether the smallest of the model are left out, or of each layer
 */
@AutoService(Compression.class)
public record Magnitude(double sparsity, Masks.Reach reach) implements Compression {
  /** Half of the weights, the smallest of the model. */
  public Magnitude() {
    this(0.5, Masks.Reach.GLOBAL);
  }

  /** Checks the values. */
  public Magnitude {
    checkSparsity(sparsity);
    if (reach == null) {
      throw new IllegalArgumentException("reach is null: expected global or layer");
    }
  }

  public static void checkSparsity(double sparsity) {
    if (!(sparsity >= 0 && sparsity < 1)) {
      throw new IllegalArgumentException(
          "sparsity is " + sparsity + ": expected the share of weights to leave out, in [0, 1)");
    }
  }

  @Override
  public String type() {
    return "magnitude";
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
      return Masks.highest(sizes(model), 1 - sparsity, reach).applied(model);
    }
  }

  /** The absolute values of the weights that may be left out. */
  static Map<String, Tensor> sizes(Model model) {
    Map<String, Tensor> sizes = new LinkedHashMap<>();
    Masks.weights(model).forEach((name, weight) -> sizes.put(name, weight.abs()));
    return sizes;
  }
}
