package dev.jformer.adapt;

import com.google.auto.service.AutoService;
import dev.jformer.config.Flat;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The Affiner: scales and shifts each output of a frozen matrix W with bias b̂, and adds the output
 * of a narrow perceptron (<a href="https://arxiv.org/abs/2404.09976">Diffscaler: Enhancing the
 * Generative Prowess of Diffusion Transformers</a>).
 *
 * <pre>y = (1 + a) ⊙ (W x) + b̂ + b + alpha / r · B ReLU(A x)</pre>
 *
 * <p>Of a convolution, W x is what it puts out at each place, a and b are numbers of its channels,
 * A is a convolution with its kernel, stride and padding, and B one with a kernel of one pixel.
 *
 * <p>a, b and B start at zero, so training starts with the function of the frozen model. Because of
 * the ReLU it cannot be merged into W. The paper has no code; which value its factor of the
 * perceptron has is not said, so it is LoRA's.
 *
 * @param settings the settings that all adapters share
 */
@AutoService(Adapter.class)
public record Affiner(@Flat AdapterSettings settings) implements Adapter {
  /** Defaults. */
  public Affiner() {
    this(new AdapterSettings());
  }

  @Override
  public String type() {
    return "affiner";
  }

  @Override
  public Map<AdapterTarget, LowRankFactors> begin(
      Iterable<AdapterTarget> targets, AdaptationData data) {
    Map<AdapterTarget, LowRankFactors> starts =
        new LinkedHashMap<>(
            LowRankFactors.random(targets, settings.rank(), scale(settings.rank())));
    starts.replaceAll((target, f) -> f.with(AffineChange.none(target.rows(), true)));
    return starts;
  }
}
