package dev.jformer.compress;

import dev.jformer.model.Model;
import dev.jformer.nn.Linear;
import dev.jformer.nn.SparseLinear;

/** What becomes of models whose layers are sparse. */
final class Sparse {
  private Sparse() {}

  /** Whether a model's linear layers are sparse. */
  static boolean is(Model model) {
    return Exchange.projection(model) instanceof SparseLinear.Config;
  }

  /**
   * A copy of a sparse model whose values, and table of words, have 8 bits.
   *
   * @throws IllegalArgumentException if they have already, or a value is not finite
   */
  static Model rounded(Model model) {
    SparseLinear.Config before = (SparseLinear.Config) Exchange.projection(model);
    if (before.bits() == 8) {
      throw new IllegalArgumentException(
          "the values of this sparse model have 8 bits already: operate on the model before that");
    }
    return Exchange.narrowed(
        model,
        before.withBits(8),
        SparseLinear.class,
        (layer, original) -> layer.fill(original.weight(), original.mask()));
  }

  /** A copy of a sparse model whose layers are plain, with the zeros written out. */
  static Model dense(Model model) {
    SparseLinear.Config before = (SparseLinear.Config) Exchange.projection(model);
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
