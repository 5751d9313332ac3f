package dev.jformer.hub;

import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.AffineChange;
import dev.jformer.adapt.LowRankFactors;
import dev.jformer.adapt.LowRankUpdate;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Joins the updates of parts of a matrix to one update of the whole, whose rank is the sum of
 * theirs: GPT-2's queries, keys and values are one matrix in PEFT's files.
 */
final class JoinedUpdates {
  private JoinedUpdates() {}

  static LowRankFactors of(AdapterTarget target, List<LowRankUpdate> parts) {
    LowRankFactors first = parts.get(0).difference();
    if (parts.size() == 1 && parts.get(0).rows() == target.rows()) {
      return first;
    }
    boolean some = rows(parts) != target.rows();
    if ((first.magnitude() != null || first.affine() != null) && some) {
      throw new IllegalArgumentException(
          (first.affine() == null ? "DoRA's norms" : "Changes of the outputs")
              + " of some rows of "
              + target.name()
              + " only cannot be saved: adapt the whole layer");
    }
    List<Tensor> a = new ArrayList<>();
    List<Tensor> columns = new ArrayList<>();
    List<Tensor> norms = new ArrayList<>();
    for (LowRankUpdate part : parts) {
      LowRankFactors values = part.difference();
      a.add(values.a());
      Tensor above = Tensor.zeros(part.start() - target.start(), values.rank());
      long rest = target.start() + target.rows() - part.start() - part.rows();
      Tensor below = Tensor.zeros(rest, values.rank());
      Tensor b = values.b().mul(values.scale() / first.scale());
      columns.add(Tensor.cat(0, above, b, below));
      norms.add(values.magnitude());
    }
    return new LowRankFactors(
        Tensor.cat(0, a.toArray(Tensor[]::new)),
        Tensor.cat(1, columns.toArray(Tensor[]::new)),
        first.scale(),
        first.magnitude() == null ? null : Tensor.cat(0, norms.toArray(Tensor[]::new)),
        first.affine() == null ? null : affine(parts));
  }

  private static AffineChange affine(List<LowRankUpdate> parts) {
    List<AffineChange> all = parts.stream().map(part -> part.difference().affine()).toList();
    Tensor[] shifts = all.stream().map(AffineChange::shift).toArray(Tensor[]::new);
    Tensor gain =
        all.get(0).gain() == null
            ? null
            : Tensor.cat(0, all.stream().map(AffineChange::gain).toArray(Tensor[]::new));
    return new AffineChange(gain, Tensor.cat(0, shifts));
  }

  private static long rows(List<LowRankUpdate> parts) {
    return parts.stream().mapToLong(LowRankUpdate::rows).sum();
  }
}
