package dev.jformer.tensor;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.global.torch;

/**
 * {@link Int8#linear} of a single vector, with the rows of the weight shared out among {@link
 * Lanes}.
 *
 * <p>As in {@link RowSplit} such a product is as fast as the weight can be read, and each operator
 * around it costs some ten microseconds, so rounding and scaling are done here, without operators.
 */
final class Int8Vector {
  /** Fewer weights than this are not worth a second thread. */
  private static final long SMALLEST_SHARED = 1 << 18;

  /**
   * Weights read at a time. They stay in the cache (L2) of their core, so that the second of two
   * digits finds them there: measured on an EPYC, 10 GB/s the first time and over 30 the second;
   * both digits in one product read 6 GB/s.
   */
  private static final long CHUNK = 3 << 18;

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
        && x.size(1) == weight.size(1)
        && scale.elements() == weight.size(0);
  }

  private static boolean isPlain(Tensor x, DType dtype) {
    return !x.isClosed()
        && x.torch().scalar_type().value == dtype.scalarType().value
        && x.torch().is_contiguous()
        && x.torch().is_cpu();
  }

  static Tensor linear(
      Tensor x,
      Tensor weight,
      Tensor scale,
      Tensor bias,
      Int8.Activations activations,
      Operator product) {
    int in = Math.toIntExact(weight.size(1));
    int out = Math.toIntExact(weight.size(0));
    int digits = activations.digits();
    Tensor result = Tensor.empty(DType.FLOAT32, 1, out);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor integers = Tensor.empty(DType.INT8, digits, in);
      float step = round(floats(x, 0, in), activations, integers);
      Tensor sums = Tensor.empty(DType.INT32, digits, out);
      var x8 = integers.torch();
      var w8 = weight.torch();
      var s32 = sums.torch();
      FloatPointer target = new FloatPointer(result.torch().data_ptr());
      IntPointer whole = new IntPointer(s32.data_ptr());
      int rows = (int) Math.max(1, CHUNK / in);
      share(
          weight.elements(),
          (part, parts) -> {
            int end = (int) ((long) out * (part + 1) / parts);
            for (int from = (int) ((long) out * part / parts); from < end; from += rows) {
              int count = Math.min(rows, end - from);
              try (PointerScope pointers = new PointerScope()) {
                var chunk = w8.narrow(0, from, count).t();
                for (int digit = 0; digit < digits; digit++) {
                  product.run(
                      x8.narrow(0, digit, 1),
                      chunk,
                      s32.narrow(0, digit, 1).narrow(1, from, count));
                }
                float[] values = new float[count];
                add(values, whole, from, digits == 1 ? 1 : Int8.BASE);
                if (digits == 2) {
                  add(values, whole, out + from, 1);
                }
                scale(values, step, scale, bias, from);
                target.getPointer(from).put(values);
              }
            }
          });
    }
    return result;
  }

  /** One part of work that is shared. */
  private interface Part {
    void run(int part, int parts);
  }

  private static void share(long weights, Part work) {
    int before = torch.get_num_threads();
    if (before > 1) {
      torch.set_num_threads(1);
    }
    try {
      if (weights < SMALLEST_SHARED || Engine.threads() == 1) {
        work.run(0, 1);
      } else {
        Lanes lanes = Lanes.shared();
        lanes.run(lane -> work.run(lane, lanes.count()));
      }
    } finally {
      if (before > 1) {
        torch.set_num_threads(before);
      }
    }
  }

  private static float[] floats(Tensor x, long from, int count) {
    float[] values = new float[count];
    new FloatPointer(x.torch().data_ptr()).getPointer(from).get(values);
    return values;
  }

  /**
   * Rounds a vector to integers, upper digits before lower ones.
   *
   * @return what 1 stands for
   */
  private static float round(float[] x, Int8.Activations activations, Tensor integers) {
    float largest = (float) Int8.SMALLEST;
    for (float value : x) {
      largest = Math.max(largest, Math.abs(value)); // NaN if any is
    }
    float factor = activations.levels() / largest;
    byte[] upper = new byte[x.length];
    BytePointer memory = new BytePointer(integers.torch().data_ptr());
    if (activations == Int8.Activations.BITS_8) {
      for (int i = 0; i < x.length; i++) {
        upper[i] = (byte) Math.rint(x[i] * factor);
      }
      memory.put(upper);
    } else {
      byte[] lower = new byte[x.length];
      for (int i = 0; i < x.length; i++) {
        double whole = Math.rint(x[i] * factor);
        double high = Math.rint(whole / Int8.BASE);
        upper[i] = (byte) high;
        lower[i] = (byte) (whole - high * Int8.BASE);
      }
      memory.put(upper);
      memory.getPointer(x.length).put(lower);
    }
    return largest / activations.levels();
  }

  private static void add(float[] values, IntPointer sums, long from, int factor) {
    int[] whole = new int[values.length];
    sums.getPointer(from).get(whole);
    for (int i = 0; i < values.length; i++) {
      values[i] += (float) whole[i] * factor;
    }
  }

  private static void scale(float[] values, float step, Tensor scale, Tensor bias, int from) {
    float[] steps = floats(scale, from, values.length);
    for (int i = 0; i < values.length; i++) {
      values[i] *= step * steps[i];
    }
    if (bias != null) {
      float[] offset = floats(bias, from, values.length);
      for (int i = 0; i < values.length; i++) {
        values[i] += offset[i];
      }
    }
  }
}
