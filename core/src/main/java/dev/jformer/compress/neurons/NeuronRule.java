package dev.jformer.compress.neurons;

import dev.jformer.config.Part;
import dev.jformer.tensor.Tensor;

/** A rule by which hidden units of a perceptron stay. */
public interface NeuronRule extends Part {
  /**
   * Scores the units of a perceptron; the highest stay.
   *
   * @param in float64 [units, parts], what each is given: its weights and its bias
   * @param out float64 [units, D], what each gives: its column of the second layer
   * @param layer number of the block, from 0
   */
  double[] scores(Tensor in, Tensor out, int layer);
}
