package dev.jformer.run;

import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Map;
import java.util.Optional;

/** Finds weights that are not finite, with which a model computes nothing of use. */
public final class WeightCheck {
  private WeightCheck() {}

  /**
   * Describes the first parameter or buffer of a model that holds NaN or an infinite value.
   *
   * @return for example {@code blocks.0.ffn.up.weight holds 3 values that are not finite}; empty if
   *     all values are finite
   */
  public static Optional<String> nonFinite(Module model) {
    for (Map.Entry<String, Parameter> entry : model.parameters().entrySet()) {
      Tensor values = entry.getValue().value();
      if (!values.dtype().isFloating()) {
        continue;
      }
      try (Scope scope = Scope.open()) {
        Tensor finite = values.detach().isFinite();
        if (!finite.all()) {
          long count = finite.not().nonzero().size(0);
          String what = count == 1 ? "a value that is" : count + " values that are";
          return Optional.of(entry.getKey() + " holds " + what + " not finite");
        }
      }
    }
    return Optional.empty();
  }
}
