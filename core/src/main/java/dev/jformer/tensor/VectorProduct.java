package dev.jformer.tensor;

import dev.jformer.kernels.Int8Kernel;
import dev.jformer.kernels.Panel4Kernel;
import dev.jformer.kernels.Panel8Kernel;
import dev.jformer.kernels.RowKernel;
import dev.jformer.kernels.VectorApi;
import java.nio.ByteBuffer;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;

/**
 * Products of few rows in the Vector API, with a matrix as its layer holds it. Threads share out
 * the results. Nothing is rounded but the sums of float32 numbers.
 */
final class VectorProduct extends RowProduct {
  private final RowKernel kernel;
  private final List<Tensor> matrices;
  private final long bytes;

  /**
   * Creates products.
   *
   * @param matrices what the kernel reads, which has to live as long as this
   * @param bytes what the kernel keeps beside them
   */
  private VectorProduct(
      RowKernel kernel, long rows, long width, long bytes, List<Tensor> matrices) {
    super(rows, width);
    this.kernel = kernel;
    this.bytes = bytes;
    this.matrices = matrices;
  }

  /** Whether such products are fast here, and whether a matrix can be read. */
  static boolean suits(Tensor matrix) {
    return VectorApi.isUsed()
        && size(matrix) <= Integer.MAX_VALUE
        && matrix.torch().is_cpu()
        && matrix.torch().is_contiguous();
  }

  /** Products with an int8 matrix [N, K] and a float32 scale for each row. */
  static VectorProduct ofInt8(Tensor weight, Tensor scale) {
    int width = Math.toIntExact(weight.size(1));
    return new VectorProduct(
        new Int8Kernel(memory(weight), scale.toFloats(), width),
        weight.size(0),
        width,
        size(scale),
        List.of(weight));
  }

  /** Products with a table of blocks. */
  static VectorProduct of(BlockTable table) {
    int rows = Math.toIntExact(table.rows());
    int width = Math.toIntExact(table.width());
    ByteBuffer codes = memory(table.codes());
    ByteBuffer scales = memory(table.scales());
    ByteBuffer offsets = table.offsets() == null ? null : memory(table.offsets());
    RowKernel kernel =
        table.bits() == 4
            ? new Panel4Kernel(codes, scales, offsets, rows, width, table.zero())
            : new Panel8Kernel(codes, scales, offsets, rows, width);
    List<Tensor> tensors =
        table.offsets() == null
            ? List.of(table.codes(), table.scales())
            : List.of(table.codes(), table.scales(), table.offsets());
    return new VectorProduct(kernel, rows, width, 0, tensors);
  }

  private static long size(Tensor tensor) {
    return tensor.elements() * tensor.dtype().bytes();
  }

  private static ByteBuffer memory(Tensor tensor) {
    return new BytePointer(tensor.torch().data_ptr()).capacity(size(tensor)).asByteBuffer();
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    float[] prepared = kernel.prepared(x, count);
    int pieces = WorkerPool.pieces((long) rows * width, kernel.parts());
    WorkerPool.each(
        pieces,
        piece -> {
          int from = (int) ((long) kernel.parts() * piece / pieces);
          int end = (int) ((long) kernel.parts() * (piece + 1) / pieces);
          kernel.multiply(prepared, y, count, from, end);
        });
  }

  @Override
  public long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    // The matrices are the layer's.
  }
}
