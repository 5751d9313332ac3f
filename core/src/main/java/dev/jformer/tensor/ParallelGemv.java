package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.GradMode;
import org.bytedeco.pytorch.global.torch;

/**
 * The linear map of a single vector, as in decoding, with the rows of the weight shared out to the
 * threads of {@link WorkerPool}.
 *
 * <p>Such a product is as fast as the weight can be read, and reading the weight evicts all code
 * and data from the caches: each further operator then costs some ten microseconds. So BLAS is
 * called here directly with addresses.
 */
final class ParallelGemv {
  private static final long SMALLEST = 1 << 18;

  private static final int FLOAT32 = DType.FLOAT32.scalarType().value;

  private ParallelGemv() {}

  /** Whether this is one float32 vector times a large float32 matrix, and no gradient is wanted. */
  static boolean suits(Tensor x, Tensor weight, Tensor bias) {
    if (GradMode.is_enabled() || x.isClosed() || weight.isClosed()) {
      return false;
    }
    var w = weight.torch();
    var v = x.torch();
    if (w.dim() != 2 || v.dim() == 0) {
      return false;
    }
    long in = w.size(1);
    return v.numel() == in
        && v.size(-1) == in
        && in * w.size(0) >= SMALLEST
        && Engine.threads() > 1
        && isPlain(v)
        && isPlain(w)
        && !Autograd.isAutocast()
        && (bias == null || fits(bias, w.size(0)));
  }

  private static boolean fits(Tensor bias, long rows) {
    return !bias.isClosed()
        && bias.torch().dim() == 1
        && bias.torch().size(0) == rows
        && isPlain(bias.torch());
  }

  private static boolean isPlain(org.bytedeco.pytorch.Tensor x) {
    return x.scalar_type().value == FLOAT32 && x.is_contiguous() && x.is_cpu();
  }

  static Tensor linear(Tensor x, Tensor weight, Tensor bias) {
    return Native.call("linear", () -> multiply(x, weight, bias), x, weight, bias);
  }

  private static org.bytedeco.pytorch.Tensor multiply(Tensor x, Tensor weight, Tensor bias) {
    int rows = Math.toIntExact(weight.torch().size(0));
    int width = Math.toIntExact(weight.torch().size(1));
    int copies = Blas.copies(width);
    long[] shape = x.shape().toArray();
    shape[shape.length - 1] = rows;
    var result =
        torch.empty(
            new long[] {copies * (long) rows},
            Native.options(DType.FLOAT32, Device.CPU),
            new org.bytedeco.pytorch.MemoryFormatOptional());
    FloatPointer matrix = new FloatPointer(weight.torch().data_ptr());
    FloatPointer vector = vectors(new FloatPointer(x.torch().data_ptr()), width, copies);
    FloatPointer offset = bias == null ? null : new FloatPointer(bias.torch().data_ptr());
    FloatPointer out = new FloatPointer(result.data_ptr());
    WorkerPool pool = WorkerPool.shared();
    pool.run(
        lane -> {
          int from = (int) ((long) rows * lane / pool.count());
          int count = (int) ((long) rows * (lane + 1) / pool.count()) - from;
          FloatPointer part = at(matrix, (long) from * width);
          FloatPointer target = at(out, from);
          Blas.timesTransposed(1, vector, part, target, copies, count, width, rows);
          if (offset != null) {
            Blas.add(at(offset, from), target, count);
          }
        });
    return result.as_strided(shape, strides(shape));
  }

  /** The vector once or, in memory of this thread, twice. */
  private static FloatPointer vectors(FloatPointer vector, int width, int copies) {
    if (copies == 1) {
      return vector;
    }
    FloatPointer pair = RowMemory.ofThread().input(2 * width);
    long bytes = 4L * width;
    Pointer.memcpy(pair, vector, bytes);
    Pointer.memcpy(at(pair, width), vector, bytes);
    return pair;
  }

  private static FloatPointer at(FloatPointer start, long elements) {
    return start.getPointer(elements);
  }

  private static long[] strides(long[] shape) {
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int i = shape.length - 1; i >= 0; i--) {
      strides[i] = stride;
      stride *= shape[i];
    }
    return strides;
  }
}
