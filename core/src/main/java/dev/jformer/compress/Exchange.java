package dev.jformer.compress;

import dev.jformer.config.Configs;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Copies of models with other kinds of linear layers. */
final class Exchange {
  private Exchange() {}

  /**
   * A model of another configuration, in inference, with all weights that both have in common. Its
   * random draws leave no trace.
   */
  static Model rebuilt(Model model, Model.Config config) {
    try (Scope scope = Scope.open()) {
      Tensor random = Random.state();
      Model rebuilt = config.build();
      Random.restore(random);
      rebuilt.copyFrom(model);
      rebuilt.train(false);
      return rebuilt;
    }
  }

  /** A configuration with its projections changed. */
  static Model.Config withProjection(Model.Config config, UnaryOperator<Projection> change) {
    return Configs.replace(config, Projection.class, change);
  }

  /**
   * Refuses models whose layers are not plain.
   *
   * @param method for messages
   * @throws IllegalArgumentException if the model has no projections, or others than plain ones
   */
  static void expectPlain(String method, Model.Config config) {
    int[] found = new int[1];
    withProjection(
        config,
        projection -> {
          found[0]++;
          if (!(projection instanceof Linear.Config)) {
            throw new IllegalArgumentException(
                method
                    + " takes a model whose projection is 'linear', not '"
                    + projection.type()
                    + "': "
                    + (projection.folded() instanceof Linear.Config
                        ? "fold it first"
                        : "start from the model as it was before"));
          }
          return projection;
        });
    if (found[0] == 0) {
      throw new IllegalArgumentException(
          method
              + " takes models with linear layers that a projection makes: '"
              + config.type()
              + "' has none");
    }
  }

  /** All modules of a class by their dotted names, in the model's order. */
  static <T extends Module> Map<String, T> all(Model model, Class<T> kind) {
    Map<String, T> all = new LinkedHashMap<>();
    model
        .modules()
        .forEach(
            (name, module) -> {
              if (kind.isInstance(module)) {
                all.put(name, kind.cast(module));
              }
            });
    return all;
  }
}
