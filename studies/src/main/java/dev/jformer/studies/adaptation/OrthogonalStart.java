package dev.jformer.studies.adaptation;

import dev.jformer.adapt.AdaptationData;
import dev.jformer.adapt.Adapter;
import dev.jformer.adapt.AdapterSettings;
import dev.jformer.adapt.AdapterTarget;
import dev.jformer.adapt.LowRankFactors;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * LoRA whose matrices A start as random orthonormal rows: what EVA's components are but for the
 * data. A control: if it does as well, what matters is the length of the rows, not their direction.
 */
record OrthogonalStart(AdapterSettings settings) implements Adapter {
  private static final Operator QR = Operator.named("aten::linalg_qr");

  @Override
  public String type() {
    return "orthogonal";
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts = new LinkedHashMap<>();
    int rank = settings.rank();
    for (AdapterTarget target : targets) {
      Tensor a = rows(target.width(), rank);
      starts.put(target, new LowRankFactors(a, Tensor.zeros(target.rows(), rank), scale(rank)));
    }
    return starts;
  }

  /** Random orthonormal rows [rank, width]. */
  static Tensor rows(long width, int rank) {
    return QR.callAll(Tensor.randn(width, rank), "reduced").get(0).t().copy();
  }
}
