package dev.jformer.compress.prune;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import dev.jformer.tensor.TensorException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Saliency scores: how much weights matter to a loss, at initialisation or later, by its
 * derivatives.
 */
public enum Saliency {
  /**
   * SNIP (<a href="https://arxiv.org/abs/1810.02340">SNIP: Single-shot Network Pruning based on
   * Connection Sensitivity</a>): |w ∂L/∂w|, the first-order change of the loss if the weight is
   * removed.
   */
  SNIP,
  /**
   * GraSP (<a href="https://arxiv.org/abs/2002.07376">Picking Winning Tickets Before Training by
   * Preserving Gradient Flow</a>): w (H g), the first-order decrease of the norm of the gradient g
   * if the weight is removed; those with the highest scores are kept. H g is the derivative of the
   * gradient itself (see {@link Autograd#secondDerivatives}); a layer of your own whose gradient is
   * computed in Java has none, and is refused. The authors divide the logits by 200 first; here
   * that is left to the loss (see {@link RandomPruning}).
   */
  GRASP;

  /**
   * Computes the scores of a model's weights, in inference mode, so that dropout does not disturb
   * them; the model is unchanged afterwards.
   *
   * @param model with plain layers
   * @param loss computes the model's loss, on the same data each time
   * @return scores [out, in] by the layers' names; weights with the highest scores should be kept
   * @throws IllegalArgumentException if the model's layers are not plain, or a layer has no second
   *     derivative and {@link #GRASP} needs it
   */
  public Map<String, Tensor> scores(Model model, Supplier<Tensor> loss) {
    ModelRebuilder.expectPlain("saliency", model.config());
    Map<String, Tensor> weights = new LinkedHashMap<>();
    Masks.weights(model)
        .forEach(
            (name, w) -> weights.put(name, ((Linear) model.modules().get(name)).weight().value()));
    Map<String, Tensor> scores = new LinkedHashMap<>();
    boolean training = model.isTraining();
    model.train(false);
    try (Mode mode = Autograd.noGrad()) {
      Map<String, Tensor> factors = this == SNIP ? gradients(weights, loss) : curved(weights, loss);
      weights.forEach(
          (name, w) -> {
            Tensor score = w.detach().mul(factors.get(name));
            scores.put(name, this == SNIP ? score.abs() : score);
          });
    } finally {
      model.train(training);
    }
    return scores;
  }

  private static Map<String, Tensor> gradients(Map<String, Tensor> weights, Supplier<Tensor> loss) {
    try (Mode mode = Autograd.enableGrad()) {
      Tensor[] all = weights.values().toArray(Tensor[]::new);
      return named(weights, Autograd.grad(loss.get(), null, false, all));
    }
  }

  /** Gradients by name, zero where there is none. */
  private static Map<String, Tensor> named(Map<String, Tensor> weights, List<Tensor> gradients) {
    Map<String, Tensor> named = new LinkedHashMap<>();
    var next = gradients.iterator();
    weights.forEach(
        (name, w) -> {
          Tensor gradient = next.next();
          named.put(name, gradient == null ? w.detach().zerosLike() : gradient.detach());
        });
    return named;
  }

  /** The product H g of the Hessian and the gradient. */
  private static Map<String, Tensor> curved(Map<String, Tensor> weights, Supplier<Tensor> loss) {
    try (Mode mode = Autograd.enableGrad();
        Mode twice = Autograd.secondDerivatives()) {
      Tensor[] all = weights.values().toArray(Tensor[]::new);
      Tensor product = null;
      for (Tensor gradient : Autograd.grad(loss.get(), null, true, all)) {
        if (gradient != null) {
          Tensor part = gradient.mul(gradient.detach()).sum();
          product = product == null ? part : product.add(part);
        }
      }
      return named(weights, Autograd.grad(product, null, false, all));
    } catch (TensorException e) {
      throw new IllegalArgumentException(
          "GraSP needs the derivative of the gradient, which failed: "
              + e.getMessage()
              + "; take the rule SNIP, which needs the gradient only",
          e);
    }
  }
}
