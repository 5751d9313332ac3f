package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.RowFunction;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A frozen linear layer with adapters, [..., in] to [..., out].
 *
 * <p>The update of a plain adapter is a node of the gradient graph of its own: it adds to the
 * layer's output in place, and one product each gives the gradients of the input and of A for all
 * matrices that the layer joins.
 */
final class AdaptedLinear extends AdaptedLayer {
  AdaptedLinear(Layer frozen) {
    super(frozen);
  }

  @Override
  int outputs() {
    return -1;
  }

  @Override
  Tensor along(Tensor vector) {
    return vector;
  }

  @Override
  Tensor down(Tensor x, LowRankUpdate part) {
    return Functional.linear(x, part.a().value().to(x.dtype()), null);
  }

  @Override
  Tensor up(Tensor low, LowRankUpdate part) {
    return Functional.linear(low, part.b().value().to(low.dtype()), null);
  }

  @Override
  Layer plain(Tensor weight, Tensor bias) {
    return new Linear(weight, bias);
  }

  @Override
  Tensor updated(Tensor x, LayerUpdate update) {
    return update.dropout() > 0 && isTraining()
        ? added(frozen().forward(x), x, update)
        : LowRankProduct.of(frozen(), x, update.parts());
  }

  @Override
  public RowFunction rowFunction() {
    RowFunction plain = frozen().rowFunction();
    if (plain == null) {
      return null;
    }
    RowFunction updated = RowFunction.of(this, Math.toIntExact(FrozenWeight.of(frozen()).width()));
    // Another adapter may be used from one call to the next.
    return (x, y, rows) -> (isUpdated() ? updated : plain).apply(x, y, rows);
  }
}
