package dev.jformer.ffn;

import dev.jformer.nn.Module;
import java.util.List;

/** The nested perceptrons of a model together: Mix'n'Match of MatFormer (arXiv 2310.07707). */
public final class Granularities {
  private final List<NestedMlp> layers;

  private Granularities(List<NestedMlp> layers) {
    this.layers = layers;
  }

  /** Those of a model; there may be none. */
  public static Granularities of(Module model) {
    return new Granularities(
        model.modules().values().stream()
            .filter(NestedMlp.class::isInstance)
            .map(NestedMlp.class::cast)
            .toList());
  }

  /** Number of nested perceptrons. */
  public int layers() {
    return layers.size();
  }

  /** How many granularities each of them has; 0 if there is none. */
  public int count() {
    return layers.isEmpty() ? 0 : layers.get(0).granularities();
  }

  /** Whether each batch is to be learned with all granularities. */
  public boolean learnedTogether() {
    return !layers.isEmpty() && layers.get(0).config().practice() == NestedMlp.TrainingMode.ALL;
  }

  /** One granularity for inference, in all layers. */
  public void use(int granularity) {
    layers.forEach(layer -> layer.use(granularity));
  }

  /** A granularity for inference for each layer, first to last. */
  public void use(List<Integer> each) {
    expect(each.size());
    for (int i = 0; i < each.size(); i++) {
      layers.get(i).use(each.get(i));
    }
  }

  /** One granularity for training, in all layers, until the next update begins. */
  public void learn(int granularity) {
    layers.forEach(layer -> layer.learn(granularity));
  }

  private void expect(int given) {
    if (given != layers.size()) {
      throw new IllegalArgumentException(
          given + " granularities are given for " + layers.size() + " nested perceptrons");
    }
  }
}
