package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.ShortPointer;
import org.bytedeco.pytorch.IValue;

/**
 * A matrix of 4-bit weights in the layout of libtorch's kernel, in pieces that threads share out.
 * It is packed once from the plain form and used for each product. Activations are rounded to
 * bfloat16, sums are float32, results bfloat16. Internal: layers in {@code nn.quantized} use it.
 */
public final class Int4 extends RowProduct {
  /** The most rows that the kernel lays out together: a piece begins at a multiple of them. */
  private static final long BLOCK = 64;

  /** The code that the kernel takes as zero. */
  public static final int MIDDLE = 8;

  private static final int HALF_BITS = 16;

  /** A half of the last bit of a float's upper half, less one. */
  private static final int BELOW_HALF = 0x7fff;

  /** The upper half of a float that is not a number. */
  private static final int NOT_A_NUMBER = 0x7fc0;

  private static final class Kernels {
    static final Operator PACK = Operator.named("aten::_convert_weight_to_int4pack_for_cpu");
    static final Operator PRODUCT = Operator.named("aten::_weight_int4pack_mm_for_cpu");
  }

  /**
   * Consecutive rows of the matrix.
   *
   * @param from index of the first
   * @param rows how many there are
   * @param weights in the kernel's layout, padded with rows that are ignored
   * @param scales bf16 [K / group, rows, 2]
   * @param arguments the kernel's arguments after the activations
   */
  private record Piece(int from, int rows, Tensor weights, Tensor scales, List<IValue> arguments) {
    static Piece of(int from, int rows, Tensor weights, Tensor scales, long group) {
      try (PointerScope pointers = new PointerScope()) {
        List<IValue> arguments =
            List.of(new IValue(weights.torch()), new IValue(group), new IValue(scales.torch()));
        arguments.forEach(IValue::retainReference);
        return new Piece(from, rows, weights, scales, arguments);
      }
    }

    void close() {
      arguments.forEach(IValue::releaseReference);
      weights.close();
      scales.close();
    }
  }

  private final List<Piece> pieces = new ArrayList<>();
  private final int padded;

  /**
   * Packs a matrix.
   *
   * @param codes int32 [N, K'], each 0 to 15
   * @param scales bf16 [N, K' / group, 2]: a code c of a group stands for (c - 8) times the first
   *     plus the second
   * @param group 32, 64, 128 or 256 values of a row
   * @param width K; those from there to K' are multiplied with zeros
   */
  public Int4(Tensor codes, Tensor scales, long group, long width) {
    super(codes.size(0), width);
    Native.requireHost("products with 4-bit weights", codes);
    this.padded = Math.toIntExact(codes.size(1));
    long blocks = (rows + BLOCK - 1) / BLOCK;
    int parts = WorkerPool.pieces(codes.elements(), blocks);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (long part = 0; part < parts; part++) {
        long from = blocks * part / parts * BLOCK;
        long count = Math.min(rows, blocks * (part + 1) / parts * BLOCK) - from;
        long padding = (count + BLOCK - 1) / BLOCK * BLOCK - count;
        Tensor piece = Functional.pad(codes.narrow(0, from, count), 0, 0, 0, 0, padding);
        Tensor steps = Functional.pad(scales.narrow(0, from, count), 0, 0, 0, 0, 0, 0, padding);
        pieces.add(
            Piece.of(
                (int) from,
                (int) count,
                Kernels.PACK.call(piece.contiguous(), 1L).keep(),
                steps.transpose(0, 1).contiguous().keep(),
                group));
      }
    }
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor narrow = Tensor.onHost(DType.BFLOAT16, count, padded);
      new ShortPointer(narrow.torch().data_ptr()).put(rounded(x, count));
      multiply(narrow, y, count);
    }
  }

  /** The upper halves of floats, rounded to the nearest, of two equally near to the even one. */
  private short[] rounded(float[] x, int count) {
    short[] upper = new short[count * padded];
    for (int row = 0; row < count; row++) {
      for (int i = 0; i < width; i++) {
        float value = x[row * width + i];
        int bits = Float.floatToRawIntBits(value);
        int rounded = bits + BELOW_HALF + ((bits >>> HALF_BITS) & 1);
        upper[row * padded + i] =
            (short) (Float.isNaN(value) ? NOT_A_NUMBER : rounded >>> HALF_BITS);
      }
    }
    return upper;
  }

  private void multiply(Tensor x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    WorkerPool.each(pieces.size(), piece -> multiply(x, pieces.get(piece), y, count));
  }

  private void multiply(Tensor x, Piece piece, float[] y, int count) {
    try (PointerScope pointers = new PointerScope()) {
      var product = Kernels.PRODUCT.invoke(x.torch(), piece.arguments);
      int stride = Math.toIntExact(product.size(1));
      short[] upper = new short[piece.rows];
      for (int row = 0; row < count; row++) {
        new ShortPointer(product.data_ptr()).getPointer((long) row * stride).get(upper);
        int start = row * rows + piece.from;
        for (int i = 0; i < piece.rows; i++) {
          y[start + i] = Float.intBitsToFloat(upper[i] << HALF_BITS);
        }
      }
    }
  }

  @Override
  public long bytes() {
    return pieces.stream()
        .mapToLong(
            piece ->
                piece.weights.elements() * piece.weights.dtype().bytes()
                    + piece.scales.elements() * piece.scales.dtype().bytes())
        .sum();
  }

  @Override
  public void close() {
    pieces.forEach(Piece::close);
    pieces.clear();
  }
}
