package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Flat;
import java.util.Map;

/**
 * rsLoRA: LoRA with the scale {@code alpha / √r}, of <a href="https://arxiv.org/abs/2312.03732">A
 * Rank Stabilization Scaling Factor for Fine-Tuning with LoRA</a>. With it the size of updates does
 * not shrink as the rank grows.
 *
 * @param settings the settings that all adapters share
 */
@AutoService(Adapter.class)
public record RsLora(@Flat AdapterSettings settings) implements Adapter {
  /** Defaults. */
  public RsLora() {
    this(new AdapterSettings());
  }

  @Override
  public String type() {
    return "rslora";
  }

  @Override
  public double scale(int rank) {
    return settings.effectiveAlpha() / Math.sqrt(rank);
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    return LowRankFactors.random(targets, settings.rank(), scale(settings.rank()));
  }
}
