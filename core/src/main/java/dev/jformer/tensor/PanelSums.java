package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.global.torch;

/**
 * Sums of vectors of integers, weighted by the elements of a few rows of floats. The vectors are
 * those of tables, called panels. libtorch's kernel for embeddings computes them; it is made while
 * the program runs, for the widest vectors of the processor. It converts integers to floats in
 * registers, so nothing is rounded but the sums of float32 numbers.
 */
final class PanelSums implements AutoCloseable {
  /** About as many vectors are added up in one call, so that a call's cost counts for little. */
  private static final int VECTORS = 1 << 15;

  /** Receives the sums of a panel; threads call it at the same time. */
  @FunctionalInterface
  interface Receiver {
    /**
     * Takes sums.
     *
     * @param row number of the row of floats
     * @param panel number of the panel
     * @param sums [K / block, height]
     */
    void accept(int row, int panel, FloatPointer sums);
  }

  private static final class Kernels {
    static final Operator SUMS_4 = Operator.named("quantized::embedding_bag_4bit_rowwise_offsets");
    static final Operator SUMS_8 = Operator.named("quantized::embedding_bag_byte_rowwise_offsets");

    /** Numbers of vectors, which all calls share, so that they stay in the cache. */
    static final Tensor NUMBERS = numbers();

    private static Tensor numbers() {
      try (Scope scope = Scope.open();
          Mode host = Device.host();
          Mode ordinary = Autograd.noInference();
          Mode mode = Autograd.noGrad()) {
        return Tensor.arange(0, VECTORS).to(DType.INT32).keep();
      }
    }
  }

  /**
   * Consecutive panels that one call adds up.
   *
   * @param from number of the first
   * @param count how many there are
   * @param tables their vectors
   * @param tensors what the arguments refer to
   * @param before the kernel's arguments between the tables and the weights of vectors
   */
  private record Chunk(
      int from, int count, Tensor tables, List<Tensor> tensors, List<IValue> before) {
    static Chunk of(int from, int count, Tensor tables, Tensor indices, Tensor starts) {
      List<Tensor> tensors = List.of(tables.keep(), indices.keep(), starts.keep());
      List<IValue> before =
          List.of(
              new IValue(indices.torch()),
              new IValue(starts.torch()),
              new IValue(false),
              new IValue(0L),
              new IValue(false));
      before.forEach(IValue::retainReference);
      return new Chunk(from, count, tables, tensors, before);
    }

    void close() {
      before.forEach(IValue::releaseReference);
      tensors.forEach(Tensor::close);
    }
  }

  private final Operator operator;
  private final int width;

  /** The floats of the sums of a panel. */
  private final long sums;

  private final long bytes;

  /** The chunks of each piece that a thread multiplies. */
  private final List<List<Chunk>> pieces = new ArrayList<>();

  private final List<IValue> after;

  /**
   * Prepares sums.
   *
   * @param tables uint8 [panels, K, bytes] in the kernel's form; they have to live as long
   * @param bits of an integer, 4 or 8
   * @param height integers of a vector
   * @param block consecutive vectors that are added up together
   */
  PanelSums(Tensor tables, int bits, int height, long block) {
    int panels = Math.toIntExact(tables.size(0));
    width = Math.toIntExact(tables.size(1));
    long blocks = block == 0 ? 1 : width / block;
    sums = blocks * height;
    operator = bits == 4 ? Kernels.SUMS_4 : Kernels.SUMS_8;
    int most = Math.max(1, Math.min(panels, VECTORS / Math.max(1, width)));
    boolean isLong = width > VECTORS;
    bytes = Integer.BYTES * (most * blocks + (isLong ? width : 0));
    try (Scope scope = Scope.open();
        Mode host = Device.host();
        Mode mode = Autograd.noGrad();
        PointerScope pointers = new PointerScope()) {
      after = List.of(new IValue(), new IValue(false));
      after.forEach(IValue::retainReference);
      Tensor all = tables.flatten(0, 1);
      Tensor indices = isLong ? Tensor.arange(0, width).to(DType.INT32) : Kernels.NUMBERS;
      Tensor starts = Tensor.arange(0, most * blocks).mul(block).to(DType.INT32);
      int parts = panels == 0 ? 0 : WorkerPool.pieces((long) panels * width * height, panels);
      for (int part = 0; part < parts; part++) {
        int end = (int) ((long) panels * (part + 1) / parts);
        List<Chunk> chunks = new ArrayList<>();
        for (int from = (int) ((long) panels * part / parts); from < end; from += most) {
          int some = Math.min(most, end - from);
          chunks.add(
              Chunk.of(
                  from,
                  some,
                  all.narrow(0, (long) from * width, (long) some * width),
                  indices.narrow(0, 0, (long) some * width),
                  starts.narrow(0, 0, some * blocks)));
        }
        pieces.add(chunks);
      }
    }
  }

  /**
   * Computes the sums of all panels. A chunk is read for all rows while it is in the cache.
   *
   * @param x [count, K]
   */
  void each(float[] x, int count, Receiver receiver) {
    WorkerPool.each(pieces.size(), piece -> add(pieces.get(piece), x, count, receiver));
  }

  private void add(List<Chunk> chunks, float[] x, int count, Receiver receiver) {
    try (PointerScope pointers = new PointerScope();
        Mode mode = Autograd.noGrad()) {
      int copies = chunks.get(0).count;
      FloatPointer input = RowMemory.ofThread().input(count * copies * width);
      for (int row = 0; row < count; row++) {
        FloatPointer some = input.getPointer((long) row * copies * width);
        some.put(x, row * width, width);
        repeat(some, copies);
      }
      for (Chunk chunk : chunks) {
        for (int row = 0; row < count; row++) {
          add(chunk, input.getPointer((long) row * copies * width), row, receiver);
        }
      }
    }
  }

  /** Copies the first K floats behind themselves. */
  private void repeat(FloatPointer floats, int copies) {
    for (long done = 1; done < copies; done *= 2) {
      long bytes = Math.min(done, copies - done) * width * Float.BYTES;
      Pointer.memcpy(floats.getPointer(done * width), floats, bytes);
    }
  }

  private void add(Chunk chunk, FloatPointer x, int row, Receiver receiver) {
    try (PointerScope pointers = new PointerScope()) {
      List<IValue> arguments = new ArrayList<>(chunk.before);
      arguments.add(new IValue(torch.from_blob(x, (long) chunk.count * width)));
      arguments.addAll(after);
      var made = operator.invoke(chunk.tables.torch(), arguments);
      FloatPointer first = new FloatPointer(made.data_ptr());
      for (int panel = 0; panel < chunk.count; panel++) {
        receiver.accept(row, chunk.from + panel, first.getPointer(panel * sums));
      }
    }
  }

  /** Bytes that are kept beside the tables. */
  long bytes() {
    return bytes;
  }

  @Override
  public void close() {
    pieces.forEach(chunks -> chunks.forEach(Chunk::close));
    pieces.clear();
    after.forEach(IValue::releaseReference);
  }
}
