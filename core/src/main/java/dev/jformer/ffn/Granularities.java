package dev.jformer.ffn;

import dev.jformer.nn.Module;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * The nested perceptrons of a model together: Mix'n'Match of MatFormer (<a
 * href="https://arxiv.org/abs/2310.07707">MatFormer: Nested Transformer for Elastic Inference</a>).
 */
public final class Granularities {
  private final List<NestedMlp> layers;

  private Granularities(List<NestedMlp> layers) {
    this.layers = layers;
  }

  /** The nested perceptrons of a model; there may be none. */
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

  /** Number of granularities of each of them; 0 if there is none. */
  public int count() {
    return layers.isEmpty() ? 0 : layers.get(0).granularities();
  }

  /** Whether each batch is trained with all granularities. */
  public boolean trainsAll() {
    return !layers.isEmpty() && layers.get(0).config().trainingMode() == NestedMlp.TrainingMode.ALL;
  }

  /** Sets the granularity of inference, in all layers. */
  public void use(int granularity) {
    layers.forEach(layer -> layer.use(granularity));
  }

  /** Sets the granularity of inference of each layer, first to last. */
  public void use(List<Integer> each) {
    expect(each.size());
    for (int i = 0; i < each.size(); i++) {
      layers.get(i).use(each.get(i));
    }
  }

  /**
   * Draws a combination for Mix'n'Match: each layer gets one of two neighbouring granularities, as
   * the paper finds to work best, and both occur.
   *
   * @return a granularity for each layer, first to last, for {@link #use(List)}
   * @throws IllegalStateException if there are fewer than two layers or granularities
   */
  public List<Integer> draw(SplittableRandom random) {
    if (layers() < 2 || count() < 2) {
      throw new IllegalStateException(
          "the model has "
              + layers()
              + " nested perceptrons of "
              + count()
              + " granularities: expected at least two of each to combine");
    }
    while (true) {
      int lower = random.nextInt(count() - 1);
      List<Integer> each = new ArrayList<>();
      layers.forEach(layer -> each.add(lower + random.nextInt(2)));
      if (each.stream().distinct().count() == 2) {
        return each;
      }
    }
  }

  /** Sets the granularity of training, in all layers, until the next update begins. */
  public void useInTraining(int granularity) {
    layers.forEach(layer -> layer.useInTraining(granularity));
  }

  private void expect(int given) {
    if (given != layers.size()) {
      throw new IllegalArgumentException(
          given
              + " granularities are given: expected "
              + layers.size()
              + ", one for each nested perceptron");
    }
  }
}
