package dev.jformer.adapt;

import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Foldable;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
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
 * A frozen layer with any number of adapters side by side, of which at most one is in use. It has
 * the parameters of the frozen layer, under their names, and those of the adapters. The gradient of
 * the frozen weight is never computed.
 */
public abstract class AdaptedLayer extends Layer {
  private final Slot<Layer> frozen;
  private final Map<String, Slot<LayerUpdate>> adapters = new LinkedHashMap<>();
  private String used;

  AdaptedLayer(Layer frozen) {
    this.frozen = unnamedChild(Layer.class, frozen);
    train(frozen.isTraining());
  }

  /** A layer that {@link FrozenWeight#canAdapt} with room for adapters. */
  static AdaptedLayer of(Layer frozen) {
    return frozen instanceof Convolution2d convolution
        ? new AdaptedConvolution(convolution)
        : new AdaptedLinear(frozen);
  }

  /** The dimension of the outputs that the rows of the weight put out. */
  abstract int outputs();

  /** A vector with a number for each output, in a shape to be multiplied with outputs. */
  abstract Tensor along(Tensor vector);

  /** A x, for the A of an update. */
  abstract Tensor down(Tensor x, LowRankUpdate part);

  /** B h, for the B of an update. */
  abstract Tensor up(Tensor low, LowRankUpdate part);

  /** A plain layer with another weight, [out, in], and bias. */
  abstract Layer plain(Tensor weight, Tensor bias);

  /** The output with plain updates. */
  abstract Tensor updated(Tensor x, LayerUpdate update);

  /** The frozen layer. */
  public final Layer frozen() {
    return frozen.get();
  }

  /** Adds an adapter, which {@link #use} selects. */
  final void add(String name, LayerUpdate update) {
    adapters.put(name, child("adapters." + name, LayerUpdate.class, update));
    update.train(isTraining());
  }

  /** Selects an adapter; null, or the name of one that does not touch this layer, for none. */
  final void use(String name) {
    used = name;
    adapters.forEach(
        (each, update) ->
            update.get().parameters().values().stream()
                .filter(Parameter::isTrainable)
                .forEach(parameter -> parameter.fix(!each.equals(name))));
  }

  /** The names of the adapters that update this layer. */
  public final Set<String> adapters() {
    return Collections.unmodifiableSet(adapters.keySet());
  }

  /** An adapter's updates of this layer's matrices; empty if it does not touch the layer. */
  public final List<LowRankUpdate> updates(String adapter) {
    Slot<LayerUpdate> update = adapters.get(adapter);
    return update == null ? List.of() : update.get().parts();
  }

  /** The dropout of an adapter that updates this layer. */
  public final double dropout(String adapter) {
    return adapters.get(adapter).get().dropout();
  }

  /** Gives the frozen weight back what the start of an adapter took out of it. */
  final void restore() {
    adapters
        .values()
        .forEach(update -> update.get().parts().forEach(part -> part.restore(frozen.get())));
  }

  @Override
  public final Tensor forward(Tensor x) {
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
    return updated(x, update);
  }

  /** Adds the updates to an output. */
  final Tensor added(Tensor product, Tensor x, LayerUpdate update) {
    Tensor dropped = Functional.dropout(x, update.dropout(), isTraining());
    return changed(product, update, (part, own) -> own.add(product(dropped, part)));
  }

  private Tensor product(Tensor x, LowRankUpdate part) {
    return up(down(x, part), part).mul(part.scale());
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
          Tensor offset = bias == null ? null : along(bias.narrow(0, part.start(), part.rows()));
          Tensor directed = (offset == null ? own : own.sub(offset)).add(product(dropped, part));
          Tensor norms = part.magnitude() == null ? null : norms(matrix, part);
          Tensor scaled =
              norms == null ? directed : directed.mul(along(part.magnitude().value().div(norms)));
          return offset == null ? scaled : scaled.add(offset);
        });
  }

  /**
   * An output whose rows with an update are changed; the others stay.
   *
   * @param product the output
   * @param change from a part and its rows of the output to what they become
   */
  private Tensor changed(
      Tensor product, LayerUpdate update, BiFunction<LowRankUpdate, Tensor, Tensor> change) {
    List<Tensor> rows = new ArrayList<>();
    int dim = outputs();
    long end = 0;
    for (LowRankUpdate part : update.parts()) {
      if (part.start() > end) {
        rows.add(product.narrow(dim, end, part.start() - end));
      }
      rows.add(change.apply(part, product.narrow(dim, part.start(), part.rows())));
      end = part.start() + part.rows();
    }
    if (end < product.size(dim)) {
      rows.add(product.narrow(dim, end, product.size(dim) - end));
    }
    return rows.size() == 1 ? rows.get(0) : Tensor.cat(dim, rows.toArray(Tensor[]::new));
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
          Tensor shift = part.shift().value();
          Tensor changed;
          if (part.gain() == null) {
            changed = own.add(along(shift.to(own.dtype())));
          } else {
            // (1 + a) (W x) + b̂ + b = (1 + a) (W x + b̂) + (b - a b̂): one pass over the outputs.
            Tensor gain = part.gain().value();
            Tensor offset =
                bias == null
                    ? shift
                    : shift.sub(gain.mul(bias.narrow(0, part.start(), part.rows())));
            changed =
                along(offset.to(own.dtype())).addProduct(own, along(gain.add(1.0).to(own.dtype())));
          }
          if (part.rank() > 0) {
            Tensor wide = up(down(dropped, part).relu(), part);
            changed = changed.add(wide.to(changed.dtype()), part.scale());
          }
          return changed;
        });
  }

  /** Whether the adapter in use updates this layer. */
  final boolean isUpdated() {
    return adapters.containsKey(used);
  }

  /** Whether an adapter can be added to the frozen weight, if that is of floats. */
  final boolean isLinear(String adapter) {
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
  final Layer merged(String adapter) {
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
    return plain(merged, weight.bias() == null ? null : weight.bias().copy());
  }
}
