package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Flat;
import dev.jformer.tensor.Tensor;
import java.util.Map;

/**
 * DoRA: trains the norms of a matrix's rows apart from their directions, of <a
 * href="https://arxiv.org/abs/2402.09353">DoRA: Weight-Decomposed Low-Rank Adaptation</a>. The
 * direction is that of the frozen matrix with LoRA's update; the norms m start as those of the
 * frozen matrix. Gradients do not flow through the norm that a direction is divided by, as in the
 * paper. Dropout acts on the update only.
 *
 * @param settings the settings that all adapters share
 */
@AutoService(Adapter.class)
public record Dora(@Flat AdapterSettings settings) implements Adapter {
  /** Defaults. */
  public Dora() {
    this(new AdapterSettings());
  }

  @Override
  public String type() {
    return "dora";
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts =
        LowRankFactors.random(targets, settings.rank(), scale(settings.rank()));
    starts.replaceAll(
        (target, plain) -> {
          Tensor norms = target.matrix().square().sum(1, false).sqrt();
          return new LowRankFactors(plain.a(), plain.b(), plain.scale(), norms);
        });
    return starts;
  }
}
