package dev.jformer.train;

import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Operator;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Operations on all gradients together. */
final class Gradients {
  private static final Operator NORMS = Operator.named("aten::_foreach_norm.Scalar");
  private static final Operator SCALE = Operator.named("aten::_foreach_mul_.Scalar");

  private Gradients() {}

  /**
   * Scales the gradients so that their common norm is at most {@code limit}; returns the norm
   * before.
   */
  static double clip(List<Parameter> parameters, double limit) {
    List<Tensor> gradients = of(parameters);
    if (gradients.isEmpty()) {
      return 0;
    }
    Tensor norms = Tensor.stack(0, NORMS.callAll(gradients, 2.0).toArray(Tensor[]::new));
    double norm = norms.norm().item();
    if (norm > limit) {
      SCALE.callAll(gradients, limit / (norm + 1e-6));
    }
    return norm;
  }

  /** Multiplies all gradients by a factor. */
  static void scale(List<Parameter> parameters, double factor) {
    List<Tensor> gradients = of(parameters);
    if (!gradients.isEmpty()) {
      SCALE.callAll(gradients, factor);
    }
  }

  private static List<Tensor> of(List<Parameter> parameters) {
    List<Tensor> gradients = new ArrayList<>();
    for (Parameter parameter : parameters) {
      Tensor gradient = parameter.value().grad();
      if (gradient != null) {
        gradients.add(gradient);
      }
    }
    return gradients;
  }
}
