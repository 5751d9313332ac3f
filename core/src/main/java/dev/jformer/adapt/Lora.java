package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Flat;
import java.util.Map;

/**
 * LoRA: adds {@code alpha / r · B A} to a frozen matrix, with A [r, in] and B [out, r], of <a
 * href="https://arxiv.org/abs/2106.09685">LoRA: Low-Rank Adaptation of Large Language Models</a>. A
 * starts at random and B at zero, so training starts with the function of the frozen model.
 *
 * <p>Of a convolution, A is a convolution with its kernel, stride and padding to r channels, and B
 * one with a kernel of one pixel.
 *
 * @param settings the settings that all adapters share
 */
@AutoService(Adapter.class)
public record Lora(@Flat AdapterSettings settings) implements Adapter {
  /** Defaults. */
  public Lora() {
    this(new AdapterSettings());
  }

  @Override
  public String type() {
    return "lora";
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    return LowRankFactors.random(targets, settings.rank(), scale(settings.rank()));
  }
}
