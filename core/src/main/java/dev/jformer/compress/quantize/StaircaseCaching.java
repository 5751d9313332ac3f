package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.mixer.attention.SoftmaxAttention;
import dev.jformer.mixer.cache.KeyValueCache;
import dev.jformer.mixer.cache.StaircaseCache;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import java.util.List;

/**
 * Gives a language model a quantized cache of keys and values, as in <a
 * href="https://arxiv.org/abs/2410.18441">The Nature of Mathematical Modeling and Probabilistic
 * Optimization Engineering in Generative AI</a>. The older keys and values are, the fewer bits they
 * have; see {@link StaircaseCache}. The weights do not change, nor do the results for whole
 * sequences.
 *
 * @param group as in {@link StaircaseCache.Config}
 * @param channels as in {@link StaircaseCache.Config}
 * @param steps as in {@link StaircaseCache.Config}
 */
@AutoService(Compression.class)
public record StaircaseCaching(int group, int channels, List<StaircaseCache.Step> steps)
    implements Compression {
  /** The defaults of {@link StaircaseCache.Config}. */
  public StaircaseCaching() {
    this(new StaircaseCache.Config());
  }

  /** The settings of a cache. */
  public StaircaseCaching(StaircaseCache.Config cache) {
    this(cache.group(), cache.channels(), cache.steps());
  }

  /** Checks the values. */
  public StaircaseCaching {
    steps = new StaircaseCache.Config(group, channels, steps).steps();
  }

  @Override
  public String type() {
    return "staircase-cache";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    if (!(model instanceof CausalLm)) {
      throw new IllegalArgumentException(
          type()
              + " needs a language model, which decodes with a cache: this is a '"
              + model.config().type()
              + "'");
    }
    return ModelRebuilder.rebuilt(
        model, Configs.replace(model.config(), TokenMixer.Config.class, this::changed));
  }

  private TokenMixer.Config changed(TokenMixer.Config mixer) {
    if (!(mixer instanceof SoftmaxAttention.Config attention)) {
      throw new IllegalArgumentException(
          type() + " needs a model whose mixer is 'softmax', not '" + mixer.type() + "'");
    }
    if (!(attention.cache() instanceof KeyValueCache.Config)) {
      throw new IllegalArgumentException(
          type()
              + " needs a model whose cache is 'full', not '"
              + attention.cache().type()
              + "': start from the original model");
    }
    StaircaseCache.Config cache = new StaircaseCache.Config(group, channels, steps);
    return attention.withCache(cache);
  }
}
