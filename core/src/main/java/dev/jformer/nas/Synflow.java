package dev.jformer.nas;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * The synaptic flow as a score, of <a href="https://arxiv.org/abs/2006.05467">Pruning neural
 * networks without any data by iteratively conserving synaptic flow</a>: the sum of |w ∂R/∂w| over
 * all weights, where weights are replaced by their absolute values and R is the sum of the outputs.
 * The original feeds an image of ones; here it is the batch, because tokens have no ones. Its
 * logarithm is returned, since the sum grows with the depth beyond all bounds.
 */
@AutoService(StudentScore.class)
public record Synflow() implements StudentScore {
  @Override
  public String type() {
    return "synflow";
  }

  @Override
  public double of(Candidate candidate) {
    candidate.student().train(false);
    for (Parameter weight : candidate.student().trained()) {
      weight.copyFrom(weight.value().detach().abs());
    }
    try (Scope scope = Scope.open()) {
      Tensor sum = candidate.passes().logits(candidate.student()).sum();
      return Math.log(Snip.connections(candidate.student(), sum));
    }
  }
}
