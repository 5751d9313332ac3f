package dev.jformer.tensor;

import java.util.List;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;

/** Modes and functions of automatic differentiation. Modes belong to the calling thread. */
public final class Autograd {
  private static final ThreadLocal<Boolean> TWICE = ThreadLocal.withInitial(() -> false);

  private Autograd() {}

  /** Opens a mode in which operators do not record what a gradient would need. */
  public static Mode noGrad() {
    return gradMode(false);
  }

  /** Opens a mode in which operators record again, inside {@link #noGrad}. */
  public static Mode enableGrad() {
    return gradMode(true);
  }

  /** Whether operators record what a gradient would need. */
  public static boolean isRecording() {
    Engine.start();
    return GradMode.is_enabled();
  }

  private static Mode gradMode(boolean enabled) {
    Engine.start();
    AutoGradMode guard = new AutoGradMode(enabled);
    guard.retainReference();
    return guard::deallocate;
  }

  /**
   * Opens a mode like {@link #noGrad} that is cheaper still: tensors made in it can never take part
   * in a gradient, not even after it has ended.
   */
  public static Mode inference() {
    return inferenceMode(true);
  }

  /** Opens a mode in which new tensors are ordinary ones again, inside {@link #inference}. */
  public static Mode noInference() {
    return inferenceMode(false);
  }

  private static Mode inferenceMode(boolean enabled) {
    Engine.start();
    InferenceMode guard = new InferenceMode(enabled);
    guard.retainReference();
    return guard::deallocate;
  }

  /** Whether operators record what a gradient needs. */
  public static boolean isEnabled() {
    Engine.start();
    return GradMode.is_enabled();
  }

  /**
   * Opens a mode of mixed precision: matrix products run in {@code dtype} (normally {@link
   * DType#BFLOAT16}) while parameters stay float32; operators that need the range of float32 keep
   * it.
   *
   * @param enabled false gives a mode in which every operator runs in its operands' types
   */
  public static Mode autocast(DType dtype, boolean enabled) {
    Engine.start();
    DeviceType device = Device.current().torchType();
    boolean before = torch.is_autocast_enabled(device);
    torch.ScalarType typeBefore = torch.get_autocast_dtype(device);
    torch.set_autocast_enabled(device, enabled);
    torch.set_autocast_dtype(device, dtype.scalarType());
    torch.increment_nesting();
    // The cache of converted weights does not record which type they were converted to.
    boolean otherType = dtype != DType.of(typeBefore);
    if (otherType) {
      torch.clear_cache();
    }
    return () -> {
      if (torch.decrement_nesting() == 0 || otherType) {
        torch.clear_cache();
      }
      torch.set_autocast_dtype(device, typeBefore);
      torch.set_autocast_enabled(device, before);
    };
  }

  /**
   * Opens a mode in which gradients can be differentiated again: attention is computed by plain
   * products, which hold the T×S matrix, and rational functions by libtorch's operators, because
   * the fast forms of both have no second derivative.
   */
  public static Mode secondDerivatives() {
    boolean before = TWICE.get();
    TWICE.set(true);
    return () -> TWICE.set(before);
  }

  /** Whether {@link #secondDerivatives} is in force. */
  static boolean isTwice() {
    return TWICE.get();
  }

  /** Whether {@link #autocast} is in force. */
  public static boolean isAutocast() {
    Engine.start();
    return torch.is_autocast_enabled(Device.current().torchType());
  }

  /**
   * Gradients of {@code output}, weighted by {@code weight}, with respect to {@code inputs},
   * without touching any tensor's {@link Tensor#grad}.
   *
   * @param weight of the shape of {@code output}; null for 1 if that is a scalar
   * @param createGraph whether the gradients can be differentiated again
   * @return a gradient for each input, null where {@code output} does not depend on it
   * @throws TensorException if {@code weight} has another shape, or the output no gradient
   */
  public static List<Tensor> grad(
      Tensor output, Tensor weight, boolean createGraph, Tensor... inputs) {
    checkWeight("grad", output, weight);
    TensorVector results =
        Native.get(
            "grad",
            () ->
                torch.grad(
                    new TensorVector(output.torch()),
                    vector(inputs),
                    weight == null ? new TensorVector() : new TensorVector(weight.torch()),
                    new BoolOptional(createGraph),
                    createGraph,
                    true),
            output,
            weight);
    return Native.list(results);
  }

  /** Computes the gradients of a function that libtorch has no derivative for. */
  @FunctionalInterface
  public interface Backward {
    /**
     * Returns the gradients of the operands.
     *
     * @param gradient of the function's result
     * @param operands the values that the result was computed from, detached
     * @return the gradient of each operand, of its shape; null for none
     */
    List<Tensor> gradients(Tensor gradient, List<Tensor> operands);
  }

  /**
   * Attaches a gradient computed in Java to the result of a function. It can be differentiated
   * once. The operands' memory is held until that has happened or the result is released.
   *
   * @param name of the function, for errors
   * @param result computed from the operands, detached
   * @return {@code result}; without a gradient if none is recorded or no operand has one
   */
  public static Tensor withGradient(
      String name, Tensor result, Backward backward, Tensor... operands) {
    if (CustomGradient.isWanted(operands)) {
      CustomGradient.attach(name, result, backward, operands);
    }
    return result;
  }

  /** libtorch itself lets some wrong shapes pass, and broadcasts or sums them. */
  static void checkWeight(String op, Tensor output, Tensor weight) {
    if (weight != null && !weight.shape().equals(output.shape())) {
      throw new TensorException(
          op + ": a weight of shape " + weight.shape() + " for an output of " + output.shape());
    }
  }

  static TensorVector vector(Tensor... tensors) {
    org.bytedeco.pytorch.Tensor[] natives = new org.bytedeco.pytorch.Tensor[tensors.length];
    for (int i = 0; i < tensors.length; i++) {
      natives[i] = tensors[i].torch();
    }
    return new TensorVector(natives);
  }
}
