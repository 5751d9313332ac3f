package dev.jformer.train;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * An exponential moving average of a model's weights. Buffers are not averaged, because they hold
 * no weights: a temperature of a schedule, a switch, statistics that average by themselves. The
 * model with averaged weights has them as they are. The decay grows with the number of updates n,
 * at most (1 + n) / (10 + n), so that the random start is soon forgotten.
 */
final class MovingAverage implements AutoCloseable {
  private final double decay;
  private final Map<String, Parameter> weights = new LinkedHashMap<>();
  private final Map<String, Tensor> averages = new LinkedHashMap<>();

  MovingAverage(Module module, double decay) {
    this.decay = decay;
    try (Scope scope = Scope.open()) {
      module
          .parameters()
          .forEach(
              (name, parameter) -> {
                if (parameter.isTrainable()
                    && !parameter.isFixed()
                    && parameter.value().dtype().isFloating()) {
                  weights.put(name, parameter);
                  averages.put(name, parameter.value().detach().copy().keep());
                }
              });
    }
  }

  /** Updates the averages with the present weights, after update number {@code n} (from 1). */
  void update(long n) {
    double rate = 1 - Math.min(decay, (1.0 + n) / (10.0 + n));
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      averages.forEach((name, average) -> average.lerp_(weights.get(name).value(), rate));
    }
  }

  /** Swaps the model's weights with the averages; a second call swaps them back. */
  void swap() {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      averages.forEach(
          (name, average) -> {
            Tensor weight = weights.get(name).value();
            Tensor before = weight.copy();
            weight.copy_(average);
            average.copy_(before);
          });
    }
  }

  Map<String, Tensor> state() {
    return averages;
  }

  @Override
  public void close() {
    averages.values().forEach(Tensor::close);
  }
}
