package dev.jformer.compress.experts;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.PerLayer;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.model.Model;

/**
 * Merges the experts that {@link Emoe} (<a href="https://arxiv.org/abs/2310.10908">Emergent
 * Mixture-of-Experts: Can Dense Pre-trained Transformers Benefit from Emergent Modular
 * Structures?</a>) split a model's perceptrons into back to perceptrons, with the current weights:
 * a model tuned with experts can then run densely.
 */
@AutoService(Compression.class)
public record Unite() implements Compression {
  @Override
  public String type() {
    return "unite";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    if (ModelRebuilder.all(model, EmergentExperts.class).isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no experts to unite: expected the ffn 'emergent-experts'");
    }
    return ModelRebuilder.rebuilt(
        model, Configs.replace(model.config(), ChannelMixer.Config.class, Unite::united));
  }

  private static ChannelMixer.Config united(ChannelMixer.Config ffn) {
    if (ffn instanceof EmergentExperts.Config experts) {
      return experts.dense();
    }
    if (ffn instanceof PerLayer.Config perLayer) {
      return PerLayer.of(perLayer.layers().stream().map(Unite::united).toList());
    }
    return ffn;
  }
}
