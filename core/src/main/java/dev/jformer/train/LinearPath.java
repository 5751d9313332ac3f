package dev.jformer.train;

import dev.jformer.config.Checks;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The straight line between the weights of two models, to see whether they lie in one valley
 * (linear mode connectivity, <a href="https://arxiv.org/abs/1912.05671">Linear Mode Connectivity
 * and the Lottery Ticket Hypothesis</a>).
 *
 * @param values a value of the models on the line, such as the error, at equal distances from the
 *     first model to the second, both included
 */
public record LinearPath(List<Double> values) {
  /** Copies the list. */
  public LinearPath {
    values = List.copyOf(values);
  }

  /**
   * Measures models on the line.
   *
   * @param one at the beginning
   * @param other at the end, of the same shape
   * @param points at least 3
   * @param value measures a model in inference mode
   */
  public static LinearPath of(Model one, Model other, int points, ToDoubleFunction<Model> value) {
    Checks.atLeast("points", points, 3);
    if (!one.config().equals(other.config())) {
      throw new IllegalArgumentException(
          "the models have different shapes: expected two trainings of one model");
    }
    Tensor random = Random.state();
    Map<String, Parameter> begin = one.parameters();
    Map<String, Parameter> end = other.parameters();
    List<Double> values = new ArrayList<>();
    try (Model between = one.config().build()) {
      between.train(false);
      for (int i = 0; i < points; i++) {
        double t = (double) i / (points - 1);
        try (Scope scope = Scope.open();
            Mode mode = Autograd.noGrad()) {
          between
              .parameters()
              .forEach(
                  (name, p) -> {
                    Tensor a = begin.get(name).value().detach();
                    Tensor b = end.get(name).value().detach();
                    p.copyFrom(a.dtype().isFloating() ? a.mul(1 - t).add(b.mul(t)) : a);
                  });
          values.add(value.applyAsDouble(between));
        }
      }
    } finally {
      Random.restore(random);
    }
    return new LinearPath(values);
  }

  /**
   * The barrier: how much the value on the line exceeds that of a straight line between the ends,
   * at most; at least 0.
   */
  public double barrier() {
    double highest = 0;
    int last = values.size() - 1;
    for (int i = 0; i <= last; i++) {
      double t = (double) i / last;
      double straight = (1 - t) * values.get(0) + t * values.get(last);
      highest = Math.max(highest, values.get(i) - straight);
    }
    return highest;
  }
}
