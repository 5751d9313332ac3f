package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Checks;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * BitFit: trains biases only, of <a href="https://arxiv.org/abs/2106.10199">BitFit: Simple
 * Parameter-efficient Fine-tuning for Transformer-based Masked Language-models</a>. Here each
 * frozen matrix or convolution gets a bias of its own, which starts at zero, whether it had one or
 * not.
 *
 * @param targets names of the layers, as in {@link AdapterSettings#targets}
 */
@AutoService(Adapter.class)
public record BitFit(List<String> targets) implements Adapter {
  /** Defaults: all layers of the blocks. */
  public BitFit() {
    this(List.of());
  }

  /** Copies the list. */
  public BitFit {
    Checks.notNull("targets", targets);
    targets = List.copyOf(targets);
  }

  @Override
  public String type() {
    return "bitfit";
  }

  @Override
  public AdapterSettings settings() {
    return new AdapterSettings(1, 0, 0, targets);
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> matrices, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts = new LinkedHashMap<>();
    for (AdapterTarget target : matrices) {
      LowRankFactors none =
          new LowRankFactors(Tensor.zeros(0, target.width()), Tensor.zeros(target.rows(), 0), 1);
      starts.put(target, none.with(AffineChange.none(target.rows(), false)));
    }
    return starts;
  }
}
