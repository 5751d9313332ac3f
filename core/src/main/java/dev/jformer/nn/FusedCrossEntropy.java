package dev.jformer.nn;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * The mean cross-entropy of an output layer whose logits are never held as a whole: for some rows
 * at a time, it computes logits, loss and the gradient of both together, as the fused linear
 * cross-entropy of <a href="https://arxiv.org/abs/2410.10989">Liger Kernel: Efficient Triton
 * Kernels for LLM Training</a> does. A large vocabulary then takes little memory in training, and
 * no more time.
 *
 * <p>The loss can be differentiated once, so it stands in for the plain one only where this mode is
 * open, as {@code Trainer} has it. Between the passes it holds the gradients of the rows and of the
 * weights that are trained.
 */
public final class FusedCrossEntropy {
  private static final ThreadLocal<Boolean> ON = ThreadLocal.withInitial(() -> false);

  private FusedCrossEntropy() {}

  /** Opens a mode in which losses may be differentiated once only, in this thread. */
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
   * Computes the loss of rows.
   *
   * @param output computes logits [m, V] from rows [m, D]
   * @param weights that it uses
   * @param rows [M, D]
   * @param targets int64 [M]; -1 for those that do not count
   * @param together the most rows whose logits are held at a time
   * @return the mean in nats, a float32 scalar; NaN if no target counts
   */
  public static Tensor of(
      UnaryOperator<Tensor> output,
      Collection<Parameter> weights,
      Tensor rows,
      Tensor targets,
      long together) {
    List<Tensor> operands = new ArrayList<>(List.of(rows));
    weights.stream().map(Parameter::value).filter(Tensor::requiresGrad).forEach(operands::add);
    List<Tensor> gradients = operands.stream().map(each -> each.detach().zerosLike()).toList();
    double counted = targets.ge(0).to(DType.FLOAT64).sum().item();
    double sum = 0;
    for (long from = 0; from < rows.size(0); from += together) {
      long count = Math.min(together, rows.size(0) - from);
      try (Scope scope = Scope.open()) {
        Tensor[] inputs = operands.toArray(Tensor[]::new);
        inputs[0] = rows.detach().narrow(0, from, count).detach();
        inputs[0].requiresGrad(true);
        Tensor logits = output.apply(inputs[0]).to(DType.FLOAT32);
        Tensor loss = Functional.crossEntropyEach(logits, targets.narrow(0, from, count), -1).sum();
        sum += loss.item();
        List<Tensor> found = Autograd.grad(loss.mul(1 / counted), null, false, inputs);
        gradients.get(0).narrow(0, from, count).add_(found.get(0));
        for (int i = 1; i < inputs.length; i++) {
          gradients.get(i).add_(found.get(i));
        }
      }
    }
    int asked = operands.size();
    boolean flows = rows.requiresGrad();
    List<Tensor> all = new ArrayList<>(operands);
    all.addAll(gradients);
    return Autograd.withGradient(
        "fused cross-entropy",
        Tensor.full(sum / counted, DType.FLOAT32),
        (gradient, saved) -> {
          List<Tensor> scaled = new ArrayList<>();
          for (int i = 0; i < saved.size(); i++) {
            boolean wanted = i < asked && (i > 0 || flows);
            scaled.add(wanted ? saved.get(asked + i).mul(gradient) : null);
          }
          return scaled;
        },
        all.toArray(Tensor[]::new));
  }
}
