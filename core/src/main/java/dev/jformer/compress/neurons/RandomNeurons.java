package dev.jformer.compress.neurons;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * A neuron rule that keeps random units, drawn separately in each layer.
 *
 * @param seed seed of the draws
 */
@AutoService(NeuronRule.class)
public record RandomNeurons(long seed) implements NeuronRule {
  /** Default: seed 1. */
  public RandomNeurons() {
    this(1);
  }

  @Override
  public String type() {
    return "random";
  }

  @Override
  public double[] scores(Tensor in, Tensor out, int layer) {
    SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + layer);
    return random.doubles(in.size(0)).toArray();
  }

  /** A random permutation of the numbers below a count. */
  static int[] shuffled(int count, SplittableRandom random) {
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int j = random.nextInt(i + 1);
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }
}
