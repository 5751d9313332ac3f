package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.ffn.PerLayer;
import dev.jformer.ffn.expert.EmergentExperts;
import dev.jformer.model.Model;

/**
 * Makes the experts that {@link Emoe} (arXiv 2310.10908) parted a model's perceptrons into
 * perceptrons again, with the very weights that they have by now: tuned with experts, the model is
 * run densely.
 */
@AutoService(Surgery.class)
public record Unite() implements Surgery {
  @Override
  public String type() {
    return "unite";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model operate(Model model, Calibration calibration) {
    if (Exchange.all(model, EmergentExperts.class).isEmpty()) {
      throw new IllegalArgumentException(
          "the model has no experts to unite: expected the ffn 'emergent-experts'");
    }
    return Exchange.rebuilt(
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
