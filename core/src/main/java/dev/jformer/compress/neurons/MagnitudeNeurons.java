package dev.jformer.compress.neurons;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * A neuron rule that keeps the largest units, by the Euclidean norm of their incoming and outgoing
 * weights (as <a href="https://arxiv.org/abs/1608.08710">Pruning Filters for Efficient ConvNets</a>
 * does for filters, with incoming weights only).
 */
@AutoService(NeuronRule.class)
public record MagnitudeNeurons() implements NeuronRule {
  @Override
  public String type() {
    return "magnitude";
  }

  @Override
  public double[] scores(Tensor in, Tensor out, int layer) {
    return Tensor.cat(1, in, out).square().sum(1, false).toDoubles();
  }
}
