package dev.jformer.compress.neurons;

import dev.jformer.config.Part;
import dev.jformer.tensor.Tensor;

/** A rule that scores the hidden units of a perceptron for pruning. */
public interface NeuronRule extends Part {
  /**
   * Scores the units of a perceptron; those with the highest scores stay.
   *
   * @param in float64 [units, parts], the input weights and bias of each unit
   * @param out float64 [units, D], the output weights of each unit
   * @param layer index of the block, from 0
   */
  double[] scores(Tensor in, Tensor out, int layer);
}
