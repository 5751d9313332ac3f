package dev.jformer.model.diffusion;

import dev.jformer.nn.Embedding;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * The vector that tells all blocks of a {@link DiffusionModel} the noise level and the class: the
 * sum of a perceptron's output for sines and cosines of the noise level, and the class's embedding.
 * Class number K stands for none.
 */
final class Conditioning extends Module {
  private static final int FREQUENCIES = 64;

  /** The sines' rates: ln σ / 4 is between about -1.6 and 1.1. */
  private static final double LOWEST = 0.25;

  private static final double HIGHEST = 64;

  /**
   * Deviation of new embeddings, about that of what they are added to. With the 0.02 of other
   * embeddings a short training ignores the class, which few of its images need.
   */
  private static final double DEVIATION = 0.5;

  private final Slot<TokenEmbedding> classes;
  private final Slot<Layer> first;
  private final Slot<Layer> second;

  Conditioning(int count, int width) {
    Initializer even = Initializer.xavierUniform();
    this.classes =
        child(
            "classes",
            TokenEmbedding.class,
            new Embedding(count + 1L, width, Initializer.normal(DEVIATION)));
    this.first = child("first", Layer.class, new Linear(2 * FREQUENCIES, width, true, even));
    this.second = child("second", Layer.class, new Linear(width, width, true, even));
  }

  /**
   * Computes the vectors, after the activation that all uses of them begin with.
   *
   * @param noise ln σ / 4, [B]
   * @param labels int64 [B], K for none
   * @return [B, D]
   */
  Tensor forward(Tensor noise, Tensor labels) {
    double[] rates = new double[FREQUENCIES];
    for (int i = 0; i < FREQUENCIES; i++) {
      rates[i] = LOWEST * Math.pow(HIGHEST / LOWEST, i / (FREQUENCIES - 1.0));
    }
    Tensor angles = noise.unsqueeze(1).mul(Tensor.of(rates, FREQUENCIES).to(noise.dtype()));
    Tensor waves = Tensor.cat(1, angles.cos(), angles.sin());
    Tensor level = second.get().forward(Functional.silu(first.get().forward(waves)));
    return Functional.silu(level.add(classes.get().forward(labels)));
  }
}
