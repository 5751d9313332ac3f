package dev.jformer.nas;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * The sum of |w ∂L/∂w| over all weights as a score, of <a
 * href="https://arxiv.org/abs/1810.02340">SNIP: Single-shot Network Pruning based on Connection
 * Sensitivity</a>, used so in <a href="https://arxiv.org/abs/2101.08134">Zero-Cost Proxies for
 * Lightweight NAS</a>.
 */
@AutoService(StudentScore.class)
public record Snip() implements StudentScore {
  @Override
  public String type() {
    return "snip";
  }

  @Override
  public double of(Candidate candidate) {
    candidate.student().train(false);
    try (Scope scope = Scope.open()) {
      Tensor loss = candidate.passes().predict(candidate.student()).loss();
      return connections(candidate.student(), loss);
    }
  }

  /** The sum of |w ∂R/∂w| over the weights of a model; those that R does not depend on count 0. */
  static double connections(Model model, Tensor scalar) {
    List<Tensor> weights = model.trained().stream().map(Parameter::value).toList();
    List<Tensor> gradients = Autograd.grad(scalar, null, false, weights.toArray(Tensor[]::new));
    double sum = 0;
    for (int i = 0; i < weights.size(); i++) {
      if (gradients.get(i) != null) {
        sum += weights.get(i).detach().mul(gradients.get(i).detach()).abs().sum().item();
      }
    }
    return sum;
  }
}
