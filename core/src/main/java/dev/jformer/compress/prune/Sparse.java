package dev.jformer.compress.prune;

import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.sparse.SparseLinear;

/** Helpers for models whose layers are sparse. */
final class Sparse {
  private Sparse() {}

  /** Whether a model's linear layers are sparse. */
  static boolean is(Model model) {
    return ModelRebuilder.projection(model) instanceof SparseLinear.Config;
  }

  /** Creates a copy of a sparse model with plain layers. */
  static Model dense(Model model) {
    SparseLinear.Config before = (SparseLinear.Config) ModelRebuilder.projection(model);
    if (before.bits() == 8) {
      throw new IllegalArgumentException(
          "the values of this sparse model have 8 bits: make the model dense before that");
    }
    return ModelRebuilder.filled(
        model,
        ModelRebuilder.withProjection(model.config(), sparse -> new Linear.Config()),
        made ->
            ModelRebuilder.all(model, SparseLinear.class)
                .forEach(
                    (name, layer) ->
                        ((Linear) made.modules().get(name)).weight().copyFrom(layer.weight())));
  }
}
