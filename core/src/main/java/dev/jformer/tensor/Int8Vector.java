package dev.jformer.tensor;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * Computes {@link Int8#linear} of a single vector in 8 bits, with the rows of the weight shared out
 * to the threads of {@link WorkerPool}.
 *
 * <p>As in {@link ParallelGemv}, such a product is as fast as the weight can be read, and each
 * operator around it costs some ten microseconds. So rounding and scaling are done in Java here.
 */
final class Int8Vector {
  private Int8Vector() {}

  static final class Product {
    static final Operator OPERATOR = Operator.named("aten::_int_mm.out");
  }

  static boolean suits(Tensor x, Tensor weight, Tensor scale, Tensor bias) {
    return isPlain(x, DType.FLOAT32)
        && isPlain(weight, DType.INT8)
        && isPlain(scale, DType.FLOAT32)
        && (bias == null || (isPlain(bias, DType.FLOAT32) && bias.elements() == scale.elements()))
        && x.rank() == 2
        && weight.rank() == 2
        && x.size(0) == 1
        && x.size(1) > 1 // with one feature the kernel reads memory that it should not
        && x.size(1) == weight.size(1)
        && scale.elements() == weight.size(0);
  }

  private static boolean isPlain(Tensor x, DType dtype) {
    return !x.isClosed()
        && x.torch().scalar_type().value == dtype.scalarType().value
        && x.torch().is_contiguous()
        && x.torch().is_cpu();
  }

  static Tensor linear(Tensor x, Tensor weight, Tensor scale, Tensor bias) {
    int out = Math.toIntExact(weight.size(0));
    Tensor result = Tensor.onHost(DType.FLOAT32, 1, out);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor integers = Tensor.onHost(DType.INT8, 1, weight.size(1));
      float step = round(floats(x, 0, Math.toIntExact(weight.size(1))), integers);
      Tensor sums = Tensor.onHost(DType.INT32, 1, out);
      var x8 = integers.torch();
      var w8 = weight.torch();
      var s32 = sums.torch();
      FloatPointer target = new FloatPointer(result.torch().data_ptr());
      IntPointer whole = new IntPointer(s32.data_ptr());
      int parts = WorkerPool.pieces(weight.elements(), out);
      WorkerPool.each(
          parts,
          part -> {
            int from = (int) ((long) out * part / parts);
            int count = (int) ((long) out * (part + 1) / parts) - from;
            try (PointerScope pointers = new PointerScope()) {
              Product.OPERATOR.run(x8, w8.narrow(0, from, count).t(), s32.narrow(1, from, count));
              target.getPointer(from).put(scaled(whole, step, scale, bias, from, count));
            }
          });
    }
    return result;
  }

  /** Copies consecutive values of a contiguous float32 tensor. */
  static float[] floats(Tensor x, long from, int count) {
    float[] values = new float[count];
    new FloatPointer(x.torch().data_ptr()).getPointer(from).get(values);
    return values;
  }

  /**
   * Rounds a vector to integers.
   *
   * @return the step of the integers
   */
  private static float round(float[] x, Tensor integers) {
    float largest = (float) Int8.SMALLEST;
    for (float value : x) {
      largest = Math.max(largest, Math.abs(value)); // NaN if any is
    }
    float factor = Int8.LEVELS / largest;
    byte[] rounded = new byte[x.length];
    for (int i = 0; i < x.length; i++) {
      rounded[i] = (byte) Math.rint(x[i] * factor);
    }
    new BytePointer(integers.torch().data_ptr()).put(rounded);
    return largest / Int8.LEVELS;
  }

  private static float[] scaled(
      IntPointer sums, float step, Tensor scale, Tensor bias, int from, int count) {
    int[] whole = new int[count];
    sums.getPointer(from).get(whole);
    float[] steps = floats(scale, from, count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = whole[i] * (step * steps[i]);
    }
    if (bias != null) {
      float[] offset = floats(bias, from, count);
      for (int i = 0; i < count; i++) {
        values[i] += offset[i];
      }
    }
    return values;
  }
}
