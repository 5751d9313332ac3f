package dev.jformer.adapt;

import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** One adapter's updates of the matrices of a linear layer, in the order of their rows. */
final class LayerUpdate extends Module {
  private final double dropout;
  private final List<Slot<LowRankUpdate>> updates = new ArrayList<>();

  /**
   * Declares the updates, named by the numbers of their parts.
   *
   * @param parts in the order of their rows, with their initial values
   */
  LayerUpdate(List<Part> parts, double dropout, boolean subtracted) {
    this.dropout = dropout;
    parts.forEach(
        part ->
            updates.add(
                child(
                    Integer.toString(part.number()),
                    LowRankUpdate.class,
                    new LowRankUpdate(part.start(), part.values(), subtracted))));
  }

  /** A matrix of the layer: its number and first row, and the initial values of its update. */
  record Part(int number, long start, LowRankFactors values) {}

  List<LowRankUpdate> parts() {
    return updates.stream().map(Slot::get).toList();
  }

  double dropout() {
    return dropout;
  }

  boolean hasMagnitudes() {
    return parts().stream().anyMatch(part -> part.magnitude() != null);
  }

  boolean isAffine() {
    return parts().stream().anyMatch(part -> part.shift() != null);
  }

  /** The weight [out, in] with all updates. */
  Tensor updated(Tensor frozen) {
    Tensor weight = frozen.copy();
    for (LowRankUpdate part : parts()) {
      Tensor rows = weight.narrow(0, part.start(), part.rows());
      rows.copy_(part.updated(rows));
    }
    return weight;
  }
}
