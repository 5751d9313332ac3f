package dev.jformer.adapt;

import dev.jformer.nn.Foldable;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * A frozen linear layer [..., in] to [..., out] with any number of adapters side by side, of which
 * at most one is in use. It has the parameters of the frozen layer, under their names, and those of
 * the adapters.
 *
 * <p>The update of a plain adapter is a node of the gradient graph of its own: it adds to the
 * layer's output in place, and one product each gives the gradients of the input and of A for all
 * matrices that the layer joins. The gradient of the frozen weight is never computed.
 */
public final class AdaptedLinear extends Layer {
  private final Slot<Layer> frozen;
  private final Map<String, Slot<LayerUpdate>> adapters = new LinkedHashMap<>();
  private String used;

  AdaptedLinear(Layer frozen) {
    this.frozen = unnamedChild(Layer.class, frozen);
    train(frozen.isTraining());
  }

  /** The frozen layer. */
  public Layer frozen() {
    return frozen.get();
  }

  /** Adds an adapter, which {@link #use} selects. */
  void add(String name, LayerUpdate update) {
    adapters.put(name, child("adapters." + name, LayerUpdate.class, update));
    update.train(isTraining());
  }

  /** Selects an adapter; null, or the name of one that does not touch this layer, for none. */
  void use(String name) {
    used = name;
    adapters.forEach(
        (each, update) ->
            update.get().parameters().values().stream()
                .filter(Parameter::isTrainable)
                .forEach(parameter -> parameter.fix(!each.equals(name))));
  }

  /** The names of the adapters that update this layer. */
  public Set<String> adapters() {
    return Collections.unmodifiableSet(adapters.keySet());
  }

  /** An adapter's updates of this layer's matrices; empty if it does not touch the layer. */
  public List<LowRankUpdate> updates(String adapter) {
    Slot<LayerUpdate> update = adapters.get(adapter);
    return update == null ? List.of() : update.get().parts();
  }

  /** The dropout of an adapter that updates this layer. */
  public double dropout(String adapter) {
    return adapters.get(adapter).get().dropout();
  }

  /** Gives the frozen weight back what the start of an adapter took out of it. */
  void restore() {
    adapters
        .values()
        .forEach(update -> update.get().parts().forEach(part -> part.restore(frozen.get())));
  }

  @Override
  public Tensor forward(Tensor x) {
    Slot<LayerUpdate> slot = used == null ? null : adapters.get(used);
    if (slot == null) {
      return frozen.get().forward(x);
    }
    LayerUpdate update = slot.get();
    if (update.hasMagnitudes()) {
      return rescaled(x, update);
    }
    if (update.isAffine()) {
      return affine(x, update);
    }
    if (update.dropout() > 0 && isTraining()) {
      Tensor dropped = Functional.dropout(x, update.dropout(), true);
      return frozen.get().forward(x).add(added(dropped, update));
    }
    return LowRankProduct.of(frozen.get(), x, update.parts());
  }

  @Override
  public RowFunction rowFunction() {
    RowFunction plain = frozen.get().rowFunction();
    if (plain == null) {
      return null;
    }
    RowFunction updated =
        RowFunction.of(this, Math.toIntExact(FrozenWeight.of(frozen.get()).width()));
    // Another adapter may be used from one call to the next.
    return (x, y, rows) -> (adapters.containsKey(used) ? updated : plain).apply(x, y, rows);
  }

  /** What the updates add to the output, [..., out]; the rows between them get zeros. */
  private Tensor added(Tensor x, LayerUpdate update) {
    List<Tensor> rows = new ArrayList<>();
    long end = 0;
    for (LowRankUpdate part : update.parts()) {
      addZeros(rows, x, part.start() - end);
      rows.add(product(x, part));
      end = part.start() + part.rows();
    }
    addZeros(rows, x, FrozenWeight.of(frozen.get()).rows() - end);
    return Tensor.cat(-1, rows.toArray(Tensor[]::new));
  }

  private static Tensor product(Tensor x, LowRankUpdate part) {
    Tensor narrow = Functional.linear(x, part.a().value().to(x.dtype()), null);
    return Functional.linear(narrow, part.b().value().to(narrow.dtype()), null).mul(part.scale());
  }

  private static void addZeros(List<Tensor> rows, Tensor x, long count) {
    if (count > 0) {
      long[] shape = x.shape().toArray();
      shape[shape.length - 1] = count;
      rows.add(Tensor.zeros(rows.isEmpty() ? x.dtype() : rows.get(0).dtype(), shape));
    }
  }

  /** DoRA: the rows of the updated weight have trained norms. */
  private Tensor rescaled(Tensor x, LayerUpdate update) {
    FrozenWeight weight = FrozenWeight.of(frozen.get());
    Tensor bias = weight.bias();
    Tensor matrix = weight.matrix();
    Tensor dropped = Functional.dropout(x, update.dropout(), isTraining());
    Tensor product = frozen.get().forward(x);
    return changed(
        product,
        update,
        (part, own) -> {
          Tensor offset = bias == null ? null : bias.narrow(0, part.start(), part.rows());
          Tensor directed = (offset == null ? own : own.sub(offset)).add(product(dropped, part));
          Tensor norms = part.magnitude() == null ? null : norms(matrix, part);
          Tensor scaled =
              norms == null ? directed : directed.mul(part.magnitude().value().div(norms));
          return offset == null ? scaled : scaled.add(offset);
        });
  }

  /**
   * An output whose rows with an update are changed; the others stay.
   *
   * @param product [..., out]
   * @param change from a part and its rows of the output to what they become
   */
  private static Tensor changed(
      Tensor product, LayerUpdate update, BiFunction<LowRankUpdate, Tensor, Tensor> change) {
    List<Tensor> rows = new ArrayList<>();
    long end = 0;
    for (LowRankUpdate part : update.parts()) {
      if (part.start() > end) {
        rows.add(product.narrow(-1, end, part.start() - end));
      }
      rows.add(change.apply(part, product.narrow(-1, part.start(), part.rows())));
      end = part.start() + part.rows();
    }
    if (end < product.size(-1)) {
      rows.add(product.narrow(-1, end, product.size(-1) - end));
    }
    return rows.size() == 1 ? rows.get(0) : Tensor.cat(-1, rows.toArray(Tensor[]::new));
  }

  /** Scaled and shifted outputs, with an update that has a ReLU between its matrices. */
  private Tensor affine(Tensor x, LayerUpdate update) {
    Tensor bias = FrozenWeight.of(frozen.get()).bias();
    Tensor dropped = Functional.dropout(x, update.dropout(), isTraining());
    Tensor product = frozen.get().forward(x);
    return changed(
        product,
        update,
        (part, own) -> {
          Tensor changed = own.add(part.shift().value().to(own.dtype()));
          if (part.gain() != null) {
            Tensor gain = part.gain().value().to(own.dtype());
            Tensor plain = bias == null ? own : own.sub(bias.narrow(0, part.start(), part.rows()));
            changed = changed.addProduct(gain, plain);
          }
          if (part.rank() > 0) {
            Tensor narrow =
                Functional.linear(dropped, part.a().value().to(dropped.dtype()), null).relu();
            Tensor wide = Functional.linear(narrow, part.b().value().to(narrow.dtype()), null);
            changed = changed.add(wide.to(changed.dtype()), part.scale());
          }
          return changed;
        });
  }

  /** Whether an adapter can be added to the frozen weight, if that is of floats. */
  boolean isLinear(String adapter) {
    Slot<LayerUpdate> slot = adapters.get(adapter);
    return slot == null || !slot.get().isAffine();
  }

  private static Tensor norms(Tensor matrix, LowRankUpdate part) {
    try (Mode mode = Autograd.noGrad()) {
      Tensor rows = matrix.narrow(0, part.start(), part.rows());
      Tensor update = part.b().value().matmul(part.a().value());
      return LowRankUpdate.norms(rows.add(update, part.scale()));
    }
  }

  /**
   * Creates the plain layer that equals this one with an adapter.
   *
   * @throws IllegalArgumentException if the frozen weight is of few bits that do not fold into
   *     floats, or the adapter is not linear
   */
  Linear merged(String adapter) {
    if (!isLinear(adapter)) {
      throw new IllegalArgumentException(
          "the adapter changes outputs of a layer apart from its weight, and has a ReLU, so it"
              + " cannot be merged into the weight: use it beside the model");
    }
    FrozenWeight weight = FrozenWeight.of(frozen.get());
    if (!weight.isPlain() && !(frozen.get() instanceof Foldable)) {
      throw new IllegalArgumentException(
          "the adapter's model has weights of few bits ("
              + frozen.get().getClass().getSimpleName()
              + "), which an update cannot be added to: use it beside them, or attach the adapter"
              + " to the model before it was compressed");
    }
    Slot<LayerUpdate> slot = adapters.get(adapter);
    Tensor merged = slot == null ? weight.matrix().copy() : slot.get().updated(weight.matrix());
    return new Linear(merged, weight.bias() == null ? null : weight.bias().copy());
  }
}
