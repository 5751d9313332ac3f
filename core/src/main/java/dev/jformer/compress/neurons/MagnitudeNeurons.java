package dev.jformer.compress.neurons;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Tensor;

/**
 * The largest units stay, by the Euclidean length of all weights that would leave with them, those
 * that come in and those that go out (as arXiv 1608.08710 does it with filters, of which it looks
 * at the incoming weights alone).
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
