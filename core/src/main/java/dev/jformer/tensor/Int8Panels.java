package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.global.torch;

/**
 * A matrix of 8-bit weights, cut into panels of some rows each, for products with few rows. A panel
 * is a table of K vectors of as many integers as it has rows, which libtorch's kernel for
 * embeddings adds up, weighted by the elements of x. That kernel is made while the program runs,
 * for the widest vectors of the processor. It converts integers to floats in registers, so nothing
 * is rounded but the sums of float32 numbers.
 *
 * <p>A panel is so narrow that its sums stay in registers, and its memory is read from the
 * beginning to the end: a table of whole columns is read half as fast.
 */
final class Int8Panels extends RowProduct {
  /** Rows of a panel; where few would be left over, there are panels of {@link #NARROW}. */
  private static final int WIDE = 96;

  private static final int NARROW = 64;

  /** Bytes of the two floats, factor and offset, after each vector of a table. */
  private static final int TAIL = 2 * Float.BYTES;

  /** What integers are shifted by, as the kernel's have no sign. */
  private static final int ZERO = 128;

  /** About as many vectors are added up in one call, so that a call's cost counts for little. */
  private static final int VECTORS = 1 << 14;

  private static final class Kernels {
    static final Operator SUMS = Operator.named("quantized::embedding_bag_byte_rowwise_offsets");
  }

  /**
   * Consecutive panels that one call multiplies.
   *
   * @param from the first row of the matrix
   * @param panels how many panels there are
   * @param tensors what the arguments refer to
   * @param table their tables
   * @param tensors what the arguments refer to
   * @param before the kernel's arguments between the table and the weights of its vectors
   */
  private record Chunk(
      int from, int panels, Tensor table, List<Tensor> tensors, List<IValue> before) {
    static Chunk of(int from, int panels, Tensor table, Tensor indices, Tensor starts) {
      List<Tensor> tensors = List.of(table.keep(), indices.keep(), starts.keep());
      try (PointerScope pointers = new PointerScope()) {
        List<IValue> before =
            List.of(
                new IValue(indices.torch()),
                new IValue(starts.torch()),
                new IValue(false),
                new IValue(0L),
                new IValue(false));
        before.forEach(IValue::retainReference);
        return new Chunk(from, panels, table, tensors, before);
      }
    }

    void close() {
      before.forEach(IValue::releaseReference);
      tensors.forEach(Tensor::close);
    }
  }

  private final int height;
  private final int panels;
  private final float[] scales;

  /** The most panels of a call. */
  private final int most;

  /** The chunks of each piece that a thread multiplies. */
  private final List<List<Chunk>> pieces = new ArrayList<>();

  private final List<IValue> after;

  /**
   * Lays out a matrix.
   *
   * @param weight int8 [N, K]
   * @param scale float32 [N], the step of each row
   */
  Int8Panels(Tensor weight, Tensor scale) {
    super(weight.size(0), weight.size(1));
    this.height = padded(WIDE) <= padded(NARROW) ? WIDE : NARROW;
    this.panels = padded(height) / height;
    this.scales = scale.toFloats();
    this.most = Math.max(1, VECTORS / Math.max(1, width));
    try (Scope scope = Scope.open();
        Mode host = Device.host();
        Mode mode = Autograd.noGrad();
        PointerScope pointers = new PointerScope()) {
      after = List.of(new IValue(), new IValue(false));
      after.forEach(IValue::retainReference);
      Tensor table = table(weight);
      Tensor indices = Tensor.arange(0, (long) most * width).to(DType.INT32);
      Tensor starts = Tensor.arange(0, most).mul((long) width).to(DType.INT32);
      int parts = panels == 0 ? 0 : WorkerPool.pieces(weight.elements(), panels);
      for (int part = 0; part < parts; part++) {
        int end = (int) ((long) panels * (part + 1) / parts);
        List<Chunk> chunks = new ArrayList<>();
        for (int from = (int) ((long) panels * part / parts); from < end; from += most) {
          int some = Math.min(most, end - from);
          chunks.add(
              Chunk.of(
                  from * height,
                  some,
                  table.narrow(0, (long) from * width, (long) some * width),
                  indices.narrow(0, 0, (long) some * width),
                  starts.narrow(0, 0, some)));
        }
        pieces.add(chunks);
      }
    }
  }

  private int padded(int height) {
    return (rows + height - 1) / height * height;
  }

  /** The tables of all panels, uint8 [panels · K, height + tail]. */
  private Tensor table(Tensor weight) {
    Tensor all = Tensor.onHost(DType.UINT8, panels, width, height + TAIL);
    Tensor undo = Tensor.of(new float[] {1, -ZERO}).viewAs(DType.UINT8);
    all.narrow(2, height, TAIL).copy_(undo);
    int whole = rows / height;
    if (whole > 0) {
      fill(all.narrow(0, 0, whole), weight.narrow(0, 0, (long) whole * height));
    }
    if (whole < panels) {
      long left = (long) rows - (long) whole * height;
      Tensor last = weight.narrow(0, (long) whole * height, left);
      fill(all.narrow(0, whole, 1), Functional.pad(last, 0, 0, 0, 0, height - left));
    }
    return all.flatten(0, 1);
  }

  private void fill(Tensor some, Tensor weight) {
    Tensor shifted = weight.contiguous().viewAs(DType.UINT8).add((long) ZERO); // modulo 256
    some.narrow(2, 0, height).copy_(shifted.unflatten(0, -1, height).transpose(1, 2));
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    WorkerPool.each(pieces.size(), piece -> multiply(pieces.get(piece), x, y, count));
  }

  private void multiply(List<Chunk> chunks, float[] x, float[] y, int count) {
    try (PointerScope pointers = new PointerScope();
        Mode mode = Autograd.noGrad()) {
      int copies = chunks.get(0).panels;
      FloatPointer input = RowMemory.ofThread().input(count * copies * width);
      for (int row = 0; row < count; row++) {
        FloatPointer some = input.getPointer((long) row * copies * width);
        some.put(x, row * width, width);
        repeat(some, copies);
      }
      for (Chunk chunk : chunks) {
        for (int row = 0; row < count; row++) {
          FloatPointer some = input.getPointer((long) row * copies * width);
          multiply(chunk, some, y, row * rows + chunk.from);
        }
      }
    }
  }

  /** Copies the first {@code width} floats behind themselves. */
  private void repeat(FloatPointer floats, int copies) {
    for (long done = 1; done < copies; done *= 2) {
      Pointer.memcpy(
          floats.getPointer(done * width),
          floats,
          Math.min(done, copies - done) * width * Float.BYTES);
    }
  }

  private void multiply(Chunk chunk, FloatPointer x, float[] y, int start) {
    List<IValue> arguments = new ArrayList<>(chunk.before);
    arguments.add(new IValue(torch.from_blob(x, (long) chunk.panels * width)));
    arguments.addAll(after);
    var sums = Kernels.SUMS.invoke(chunk.table.torch(), arguments);
    int some = Math.min(chunk.panels * height, rows - chunk.from);
    new FloatPointer(sums.data_ptr()).get(y, start, some);
    for (int i = 0; i < some; i++) {
      y[start + i] *= scales[chunk.from + i];
    }
  }

  @Override
  public long bytes() {
    return (long) panels * width * (height + TAIL) + (long) Float.BYTES * rows;
  }

  @Override
  public void close() {
    pieces.forEach(chunks -> chunks.forEach(Chunk::close));
    pieces.clear();
    after.forEach(IValue::releaseReference);
  }
}
