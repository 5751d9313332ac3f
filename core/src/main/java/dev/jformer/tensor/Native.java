package dev.jformer.tensor;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorVector;

/** Calls into the binding that turn C++ errors into Java ones, and conversions of arguments. */
final class Native {
  private Native() {}

  /** Calls an operator that yields one tensor. */
  static Tensor call(String op, Supplier<org.bytedeco.pytorch.Tensor> body, Tensor... operands) {
    return new Tensor(get(op, body, operands));
  }

  /** Calls an operator that yields something else. */
  static <R> R get(String op, Supplier<R> body, Tensor... operands) {
    try {
      return body.get();
    } catch (TensorException e) {
      throw named(op, e, operands);
    } catch (RuntimeException e) {
      throw failure(op, e, operands);
    }
  }

  /** Calls an operator for its effect. */
  static void run(String op, Runnable body, Tensor... operands) {
    try {
      body.run();
    } catch (TensorException e) {
      throw named(op, e, operands);
    } catch (RuntimeException e) {
      throw failure(op, e, operands);
    }
  }

  /** An owned tensor from a reference into other memory, such as an element of a vector. */
  static Tensor own(org.bytedeco.pytorch.Tensor reference) {
    return new Tensor(new org.bytedeco.pytorch.Tensor(reference));
  }

  /** Like {@link #own}; null if the tensor is undefined. */
  static Tensor ownOrNull(org.bytedeco.pytorch.Tensor reference) {
    return reference.defined() ? own(reference) : null;
  }

  /** The tensors of a vector; null where one is undefined. */
  static List<Tensor> list(TensorVector vector) {
    Tensor[] tensors = new Tensor[Math.toIntExact(vector.size())];
    for (int i = 0; i < tensors.length; i++) {
      tensors[i] = ownOrNull(vector.get(i));
    }
    return Arrays.asList(tensors);
  }

  /** The same error, with the operator's name added if the cause is a released operand. */
  private static TensorException named(String op, TensorException e, Tensor... operands) {
    boolean released = Arrays.stream(operands).anyMatch(x -> x != null && x.isClosed());
    return released ? failure(op, e, operands) : e;
  }

  private static TensorException failure(String op, RuntimeException e, Tensor... operands) {
    StringBuilder message = new StringBuilder(op).append('(');
    for (int i = 0; i < operands.length; i++) {
      message.append(i == 0 ? "" : ", ").append(describe(operands[i]));
    }
    return new TensorException(message.append("): ").append(firstLine(e)).toString(), e);
  }

  private static String describe(Tensor operand) {
    if (operand == null) {
      return "none";
    }
    if (operand.isClosed()) {
      return "closed tensor";
    }
    return operand.dtype().name().toLowerCase(java.util.Locale.ROOT) + operand.shape();
  }

  private static String firstLine(RuntimeException e) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    int end = message.indexOf("\nException raised from");
    String text = end < 0 ? message : message.substring(0, end);
    int newline = text.indexOf('\n');
    return newline < 0 ? text : text.substring(0, newline);
  }

  /**
   * Checks that operands of a kernel for the CPU are in the host's memory, or have none in a {@link
   * MetaMode}.
   */
  static void requireHost(String what, Tensor operand) {
    var tensor = operand.torch();
    if (!tensor.is_cpu() && !tensor.is_meta()) {
      throw new TensorException(
          what
              + " are computed on the CPU only, and the weights are on "
              + operand.device()
              + ": use the CPU, or another projection");
    }
  }

  static TensorOptional optional(Tensor tensor) {
    return tensor == null ? new TensorOptional() : new TensorOptional(tensor.torch());
  }

  static DoubleOptional optional(Double value) {
    return value == null ? new DoubleOptional() : new DoubleOptional(value);
  }

  static LongOptional optional(Long value) {
    return value == null ? new LongOptional() : new LongOptional(value);
  }

  static TensorOptions options(DType dtype, Device device) {
    TensorOptions options = new TensorOptions().dtype(new ScalarTypeOptional(dtype.scalarType()));
    return device.equals(Device.CPU) ? options : options.device(new DeviceOptional(device.torch()));
  }
}
