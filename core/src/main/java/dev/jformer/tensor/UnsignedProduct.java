package dev.jformer.tensor;

import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;

/**
 * A matrix of 8-bit weights in the order that oneDNN's kernel reads fastest. Its product with
 * unsigned integers, for which alone oneDNN is fast, comes as floats, in which each sum is
 * multiplied by its row's step.
 */
final class UnsignedProduct implements AutoCloseable {
  /** The code of zero. */
  static final int ZERO = 128;

  private static final class Kernels {
    static final Operator PACK = Operator.named("onednn::qlinear_prepack");
    static final Operator PRODUCT = Operator.named("onednn::qlinear_pointwise");
    static final boolean EXACT = isExact();

    /** Without VNNI, kernels may add in 16 bits, and saturate. */
    private static boolean isExact() {
      try (Scope scope = Scope.open();
          Mode host = Device.host();
          Mode mode = Autograd.noGrad()) {
        Tensor weight = Tensor.full(Int8.LEVELS, DType.INT8, 64, 64);
        try (UnsignedProduct product = new UnsignedProduct(weight, Tensor.ones(64))) {
          Tensor x = Tensor.full(2 * Int8.LEVELS + 1, DType.UINT8, 4, 64);
          double largest = 64.0 * Int8.LEVELS * Int8.LEVELS;
          return Native.call("product", () -> product.of(x.torch())).eq(largest).all();
        }
      } catch (TensorException e) {
        return false; // an engine without oneDNN
      }
    }
  }

  /** What the arguments refer to. */
  private final List<Tensor> tensors;

  /** The kernel's arguments after the activations. */
  private final List<IValue> arguments;

  /**
   * Packs a matrix.
   *
   * @param weight int8 [N, K], contiguous
   * @param scale float32 [N], contiguous, the step of each row
   */
  UnsignedProduct(Tensor weight, Tensor scale) {
    int rows = Math.toIntExact(weight.size(0));
    Tensor packed = Kernels.PACK.call(weight, (Object) null).keep();
    Tensor steps = scale.copy().keep();
    Tensor zeros = Tensor.zeros(DType.INT32, rows).keep();
    tensors = List.of(packed, steps, zeros);
    try (PointerScope pointers = new PointerScope()) {
      arguments =
          List.of(
              new IValue(1.0),
              new IValue((long) ZERO),
              new IValue(packed.torch()),
              new IValue(steps.torch()),
              new IValue(zeros.torch()),
              new IValue(),
              new IValue(1.0),
              new IValue(0L),
              new IValue((long) DType.FLOAT32.scalarType().value),
              new IValue("none"),
              new IValue(new GenericList(Kernels.PRODUCT.elementType(11))),
              new IValue(""));
      arguments.forEach(IValue::retainReference);
    }
  }

  /** Whether this machine's kernel adds without saturating. */
  static boolean isExact() {
    return Kernels.EXACT;
  }

  /**
   * Multiplies.
   *
   * @param codes uint8 [M, K], each of them {@link #ZERO} more than what it stands for
   * @return float32 [M, N], of which the caller is the owner
   */
  org.bytedeco.pytorch.Tensor of(org.bytedeco.pytorch.Tensor codes) {
    return Kernels.PRODUCT.invoke(codes, arguments);
  }

  @Override
  public void close() {
    arguments.forEach(IValue::releaseReference);
    tensors.forEach(Tensor::close);
  }
}
