package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Flat;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * PiSSA: LoRA whose factors start as the leading singular vectors of the frozen matrix, of <a
 * href="https://arxiv.org/abs/2404.02948">PiSSA: Principal Singular Values and Singular Vectors
 * Adaptation of Large Language Models</a>. What they stand for is taken out of the frozen matrix. A
 * saved adapter is the difference from the original model, of twice the rank.
 *
 * @param settings the settings that all adapters share
 */
@AutoService(Adapter.class)
public record Pissa(@Flat AdapterSettings settings) implements Adapter {
  private static final Operator SVD = Operator.named("aten::linalg_svd");

  /** Defaults. */
  public Pissa() {
    this(new AdapterSettings());
  }

  @Override
  public String type() {
    return "pissa";
  }

  @Override
  public boolean subtractsStart() {
    return true;
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts = new LinkedHashMap<>();
    for (AdapterTarget target : targets) {
      starts.put(target, leading(target));
    }
    return starts;
  }

  private LowRankFactors leading(AdapterTarget target) {
    int rank = settings.rank();
    double scale = scale(rank);
    List<Tensor> svd = SVD.callAll(target.matrix(), false);
    Tensor root = svd.get(1).narrow(0, 0, rank).div(scale).sqrt();
    Tensor a = svd.get(2).narrow(0, 0, rank).mul(root.unsqueeze(1));
    Tensor b = svd.get(0).narrow(1, 0, rank).mul(root);
    return new LowRankFactors(a, b, scale);
  }
}
