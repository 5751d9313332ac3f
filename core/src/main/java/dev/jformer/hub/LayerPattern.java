package dev.jformer.hub;

import dev.jformer.mixer.PerLayerMixer;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.HasStack;
import dev.jformer.position.PerLayerPosition;
import dev.jformer.position.Position;
import java.util.List;

/** Parts that differ between the blocks of a model, as its configuration holds them. */
final class LayerPattern {
  private LayerPattern() {}

  /** The mixers of all blocks, as one part. */
  static TokenMixer.Config ofMixers(List<TokenMixer.Config> layers) {
    return PerLayerMixer.of(repeated(layers));
  }

  /** The position encodings of all blocks, as one part. */
  static Position.Config ofPositions(List<Position.Config> layers) {
    return PerLayerPosition.of(repeated(layers));
  }

  /** The shortest list that gives the layers if it is repeated. */
  private static <T> List<T> repeated(List<T> layers) {
    int period = 1;
    while (!layers
        .subList(period, layers.size())
        .equals(layers.subList(0, layers.size() - period))) {
      period++;
    }
    return layers.subList(0, period);
  }

  /** The mixer of a block. */
  static TokenMixer.Config mixer(HasStack<?> config, int layer) {
    return config.mixer() instanceof PerLayerMixer.Config each
        ? each.ofLayer(layer)
        : config.mixer();
  }

  /** The position encoding of a block. */
  static Position.Config position(HasStack<?> config, int layer) {
    return config.position() instanceof PerLayerPosition.Config each
        ? each.ofLayer(layer)
        : config.position();
  }
}
