package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Projection;
import dev.jformer.nn.QuantizedWeight;
import dev.jformer.nn.SparseLinear;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;

/** What becomes of models whose layers are sparse. */
final class Sparse {
  private Sparse() {}

  /** Whether a model's linear layers are sparse. */
  static boolean is(Model model) {
    return projection(model) instanceof SparseLinear.Config;
  }

  /** The projection of a model; null if it has none. */
  private static Projection projection(Model model) {
    AtomicReference<Projection> found = new AtomicReference<>();
    Exchange.withProjection(
        model.config(),
        projection -> {
          found.set(projection);
          return projection;
        });
    return found.get();
  }

  /**
   * A copy of a sparse model whose values, and table of words, have 8 bits.
   *
   * @throws IllegalArgumentException if they have already, or a value is not finite
   */
  static Model rounded(Model model) {
    SparseLinear.Config before = (SparseLinear.Config) projection(model);
    if (before.bits() == 8) {
      throw new IllegalArgumentException(
          "the values of this sparse model have 8 bits already: operate on the model before that");
    }
    Map<String, Module> originals = model.modules();
    return Exchange.filled(
        model,
        Exchange.withProjection(model.config(), sparse -> before.withBits(8)),
        made ->
            made.modules()
                .forEach(
                    (name, module) -> {
                      if (module instanceof SparseLinear layer) {
                        SparseLinear original = (SparseLinear) originals.get(name);
                        layer.fill(original.weight(), original.mask());
                      } else if (module instanceof QuantizedWeight table) {
                        Exchange.round(name, table, originals.get(name));
                      }
                    }));
  }

  /** A copy of a sparse model whose layers are plain, with the zeros written out. */
  static Model dense(Model model) {
    SparseLinear.Config before = (SparseLinear.Config) projection(model);
    if (before.bits() == 8) {
      throw new IllegalArgumentException(
          "the values of this sparse model have 8 bits: make the model dense before that");
    }
    return Exchange.filled(
        model,
        Exchange.withProjection(model.config(), sparse -> new Linear.Config()),
        made ->
            Exchange.all(model, SparseLinear.class)
                .forEach(
                    (name, layer) ->
                        ((Linear) made.modules().get(name)).weight().copyFrom(layer.weight())));
  }
}
