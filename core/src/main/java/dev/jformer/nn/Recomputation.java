package dev.jformer.nn;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * Computes blocks again in the backward pass instead of keeping their activations (activation
 * checkpointing, <a href="https://arxiv.org/abs/1604.06174">Training Deep Nets with Sublinear
 * Memory Cost</a>). Between the passes a block then holds its input only. Losses and gradients are
 * the same, to the bit, dropout included; a step takes one more forward pass of the blocks.
 *
 * <pre>{@code
 * try (Mode mode = Recomputation.open()) {
 *   loss = model.loss(ids, targets);
 * }
 * loss.backward();
 * }</pre>
 */
public final class Recomputation {
  private static final ThreadLocal<Boolean> ON = ThreadLocal.withInitial(() -> false);

  private Recomputation() {}

  /** Opens a mode in which the blocks of models are recomputed, in this thread. */
  public static Mode open() {
    boolean before = ON.get();
    ON.set(true);
    return () -> ON.set(before);
  }

  /** Whether the mode is open and gradients are recorded. */
  public static boolean isOn() {
    return ON.get() && Autograd.isEnabled();
  }

  /**
   * Computes a function of one tensor without keeping what its gradient needs.
   *
   * @param module whose weights and buffers the function uses
   * @param shared further weights that it uses
   * @param x the argument
   * @param body the function; it is called again in the backward pass, with the same random numbers
   *     and buffers
   * @throws IllegalStateException if a module reports a loss of its own, which has no gradient then
   */
  public static Tensor of(
      Module module, Collection<Parameter> shared, Tensor x, UnaryOperator<Tensor> body) {
    List<Tensor> operands = new ArrayList<>(List.of(x));
    module.trained().forEach(weight -> operands.add(weight.value()));
    shared.stream()
        .map(Parameter::value)
        .filter(weight -> weight.requiresGrad() && operands.stream().noneMatch(o -> o == weight))
        .forEach(operands::add);
    Tensor random = Random.state().keep();
    Map<Parameter, Tensor> buffers = buffers(module);
    boolean mixed = Autograd.isAutocast();
    Tensor result = first(x, body);
    return Autograd.withGradient(
        "recomputation",
        result,
        (gradient, saved) -> {
          Tensor now = Random.state();
          Map<Parameter, Tensor> later = buffers(module);
          Random.restore(random);
          buffers.forEach(Parameter::copyFrom);
          try (Mode recording = Autograd.enableGrad();
              Mode precision = Autograd.autocast(DType.BFLOAT16, mixed)) {
            return again(body, gradient, saved.get(0), operands);
          } finally {
            Random.restore(now);
            later.forEach(Parameter::copyFrom);
            later.values().forEach(Tensor::close);
          }
        },
        operands.toArray(Tensor[]::new));
  }

  private static Map<Parameter, Tensor> buffers(Module module) {
    Map<Parameter, Tensor> copies = new LinkedHashMap<>();
    if (module.isTraining()) {
      for (Parameter each : module.parameters().values()) {
        if (!each.isTrainable() && each.value().dtype().isFloating()) {
          copies.put(each, each.value().copy().keep());
        }
      }
    }
    return copies;
  }

  /** The result without a gradient; metrics are passed on. */
  private static Tensor first(Tensor x, UnaryOperator<Tensor> body) {
    boolean collecting = AuxiliaryLosses.isCollecting();
    Map<String, Double> metrics;
    Tensor result;
    try (Mode mode = Autograd.noGrad();
        AuxiliaryLosses reported = collecting ? AuxiliaryLosses.collect() : null) {
      result = Scope.tidy(() -> body.apply(x.detach()));
      if (collecting && reported.hasLosses()) {
        throw new IllegalStateException(
            "a block has a loss of its own, as experts have, whose gradient would be lost: set"
                + " training.recompute to false");
      }
      metrics = collecting ? reported.metrics() : Map.of();
    }
    metrics.forEach((name, value) -> AuxiliaryLosses.metric(name, () -> value));
    return result;
  }

  private static List<Tensor> again(
      UnaryOperator<Tensor> body, Tensor gradient, Tensor x, List<Tensor> operands) {
    boolean flows = operands.get(0).requiresGrad();
    Tensor leaf = x.detach();
    leaf.requiresGrad(flows);
    Tensor[] inputs = operands.toArray(Tensor[]::new);
    inputs[0] = leaf;
    try (AuxiliaryLosses dropped = AuxiliaryLosses.collect()) {
      Tensor result = body.apply(leaf);
      Tensor[] asked =
          flows ? inputs : List.of(inputs).subList(1, inputs.length).toArray(Tensor[]::new);
      List<Tensor> gradients = new ArrayList<>(Autograd.grad(result, gradient, false, asked));
      if (!flows) {
        gradients.add(0, null);
      }
      return gradients;
    }
  }
}
