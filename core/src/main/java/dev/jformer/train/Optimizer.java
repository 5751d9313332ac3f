package dev.jformer.train;

import dev.jformer.config.Part;
import dev.jformer.nn.Module;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** An optimizer: updates the weights of a module, those that are not frozen, by their gradients. */
public abstract class Optimizer implements AutoCloseable {
  /** Configuration of an optimizer. */
  public interface Config extends Part {
    /** Creates an optimizer for the weights of {@code module} that are not frozen. */
    Optimizer build(Module module);
  }

  private final Map<String, Parameter> weights = new LinkedHashMap<>();

  /** Takes the weights of {@code module} that are not frozen. */
  protected Optimizer(Module module) {
    module
        .parameters()
        .forEach(
            (name, parameter) -> {
              if (parameter.value().requiresGrad()) {
                weights.put(name, parameter);
              }
            });
  }

  /** The weights by name, in the model's order. */
  protected final Map<String, Parameter> weights() {
    return weights;
  }

  /** Updates every weight that has a gradient. */
  public abstract void step(double learningRate);

  /** The optimizer's state by name, from which {@link #restore} continues exactly. */
  public abstract Map<String, Tensor> state();

  /** Whether weight decay applies to a weight: to those with two or more dimensions. */
  protected static boolean decays(Parameter weight) {
    return weight.value().rank() >= 2;
  }

  /**
   * Checks that a weight has as many elements as its state, since kernels do not and would write
   * out of bounds.
   */
  static void checkShape(String name, Parameter weight, Tensor state) {
    if (weight.value().elements() != state.elements()) {
      throw new IllegalStateException(
          name
              + " was replaced by another shape, "
              + weight.value().shape()
              + " in place of "
              + state.shape()
              + ": make a new optimizer");
    }
  }

  /** Multiplies all gradients by a factor. */
  final void scaleGradients(double factor) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Gradients.scale(List.copyOf(weights.values()), factor);
    }
  }

  /**
   * Scales all gradients together so that their Euclidean norm is at most {@code limit}.
   *
   * @return the norm before scaling; NaN or infinite if a gradient is
   */
  public final double clipGradients(double limit) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      return Gradients.clip(List.copyOf(weights.values()), limit);
    }
  }

  /**
   * Restores a state that {@link #state} returned.
   *
   * @throws IllegalArgumentException if it belongs to another model or another kind of optimizer
   */
  public final void restore(Map<String, Tensor> state) {
    Map<String, Tensor> mine = state();
    if (!mine.keySet().equals(state.keySet())) {
      List<String> lacking = new ArrayList<>(mine.keySet());
      lacking.removeAll(state.keySet());
      List<String> strange = new ArrayList<>(state.keySet());
      strange.removeAll(mine.keySet());
      throw new IllegalArgumentException(
          "the optimizer's state belongs to another model: it lacks "
              + lacking
              + " and has "
              + strange);
    }
    mine.forEach(
        (name, tensor) -> {
          if (!tensor.shape().equals(state.get(name).shape())) {
            throw new IllegalArgumentException(
                "the optimizer's state belongs to another model: "
                    + name
                    + " is "
                    + state.get(name).shape()
                    + ", expected "
                    + tensor.shape());
          }
        });
    mine.forEach((name, tensor) -> tensor.copy_(state.get(name)));
  }

  /** Releases the state. */
  @Override
  public void close() {
    state().values().forEach(Tensor::close);
  }
}
