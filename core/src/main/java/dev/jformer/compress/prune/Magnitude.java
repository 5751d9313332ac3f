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
 * One-shot magnitude pruning: removes the smallest weights of a model's linear layers, without
 * retraining, as studied in <a href="https://arxiv.org/abs/2306.03805">The Emergence of Essential
 * Sparsity in Large Pre-trained Models: The Weights that Matter</a>. The rest is stored in a
 * {@linkplain dev.jformer.nn.sparse.SparseLinear sparse} form. It needs no data.
 *
 * @param sparsity the share of weights that is removed
 * @param reach whether the smallest weights of the model are removed, or those of each layer
 */
@AutoService(Compression.class)
public record Magnitude(double sparsity, Masks.Reach reach) implements Compression {
  /** Defaults: the smallest half of the model's weights. */
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

  /** Checks that a sparsity is in [0, 1). */
  public static void checkSparsity(double sparsity) {
    if (!(sparsity >= 0 && sparsity < 1)) {
      throw new IllegalArgumentException(
          "sparsity is " + sparsity + ": expected the share of weights to remove, in [0, 1)");
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
      return highest(model, sizes(model), 1 - sparsity, reach).applied(model);
    }
  }

  /** The masks of the largest of a model's weights; queries, keys and values are layers each. */
  static Masks highest(Model model, Map<String, Tensor> sizes, double density, Masks.Reach reach) {
    if (reach == Masks.Reach.GLOBAL) {
      return Masks.highest(sizes, density, reach);
    }
    JoinedParts parts = JoinedParts.of(model);
    return parts.join(Masks.highest(parts.split(sizes), density, reach));
  }

  /** The absolute values of the weights that may be removed. */
  static Map<String, Tensor> sizes(Model model) {
    Map<String, Tensor> sizes = new LinkedHashMap<>();
    Masks.weights(model).forEach((name, weight) -> sizes.put(name, weight.abs()));
    return sizes;
  }
}
