package dev.jformer.compress;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Folds a trained model: removes what only training needed, by replacing every {@link Foldable}
 * module by the equivalent simpler one, in the configuration and in the weights. So σReparam (<a
 * href="https://arxiv.org/abs/2303.06296">Stabilizing Transformer Training by Preventing Attention
 * Entropy Collapse</a>), for example, costs nothing in inference, and the model can be used where
 * only plain matrices are supported.
 */
public final class Fold {
  private Fold() {}

  /**
   * Creates a folded copy of a model. In inference it computes the same up to rounding; if there is
   * nothing to fold it is an exact copy.
   *
   * @throws IllegalArgumentException if the model does not match its configuration, for example
   *     because modules were replaced by hand
   */
  public static <M extends Model> M fold(M model) {
    Model.Config plain = Configs.replace(model.config(), Projection.class, Projection::folded);
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> weights = weights(model);
      Tensor random = Random.state();
      Model folded = plain.build();
      Random.restore(random); // the weights just drawn are not used
      Map<String, Parameter> parameters = folded.parameters();
      if (!parameters.keySet().equals(weights.keySet())) {
        folded.close();
        throw new IllegalArgumentException(
            "the model does not match its configuration: it has "
                + difference(weights, parameters)
                + " and lacks "
                + difference(parameters, weights));
      }
      parameters.forEach((name, parameter) -> parameter.replace(weights.get(name)));
      folded.train(model.isTraining());
      @SuppressWarnings("unchecked") // configurations of one class build models of one class
      M result = (M) folded;
      return result;
    }
  }

  /** Copies of the folded model's weights, by their names there. */
  private static Map<String, Tensor> weights(Model model) {
    Map<String, Tensor> weights = new TreeMap<>();
    model.parameters().forEach((name, p) -> weights.put(name, p.value().detach().copy()));
    for (Map.Entry<String, Module> entry : model.modules().entrySet()) {
      if (entry.getValue() instanceof Foldable foldable) {
        String prefix = entry.getKey() + ".";
        boolean own = weights.keySet().removeIf(name -> name.startsWith(prefix));
        if (!own && !entry.getValue().parameters().isEmpty()) {
          continue; // its weights are another module's, which folds itself
        }
        try (Module folded = foldable.folded()) {
          folded
              .parameters()
              .forEach((name, p) -> weights.put(prefix + name, p.value().detach().copy()));
        }
      }
    }
    return weights;
  }

  private static Set<String> difference(Map<String, ?> from, Map<String, ?> without) {
    Set<String> names = new TreeSet<>(from.keySet());
    names.removeAll(without.keySet());
    return names;
  }
}
