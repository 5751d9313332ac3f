package dev.jformer.tensor;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;

/**
 * A matrix of 8-bit weights in the order that oneDNN's kernel reads fastest, in pieces that threads
 * share out. It is packed once from the plain form, for products with few rows, as in decoding. It
 * computes what {@link Int8#linear} does with {@link Int8.Activations#BITS_15}.
 *
 * <p>Both digits of a number are rows of the same product, so that the weights are read once.
 * Measured on one core of an EPYC: 12 to 15 GB/s for four rows, less for two; {@code _int_mm} on
 * the plain form reaches 10 GB/s for a single row and 6 for two. Rounding and scaling are done
 * here, without operators, each of which would cost some ten microseconds.
 */
final class Int8Packed extends RowProduct {
  /** With fewer rows oneDNN chooses a slower kernel. */
  private static final int FEWEST_ROWS = 4;

  /**
   * Consecutive rows of the matrix.
   *
   * @param from index of the first
   * @param rows how many there are
   * @param product their product
   */
  private record Piece(int from, int rows, UnsignedProduct product) {
    static Piece of(Tensor weight, Tensor scale, int from, int rows) {
      return new Piece(
          from,
          rows,
          new UnsignedProduct(
              weight.narrow(0, from, rows).contiguous(), scale.narrow(0, from, rows)));
    }
  }

  private final List<Piece> pieces = new ArrayList<>();

  /**
   * Packs a matrix.
   *
   * @param weight int8 [N, K]
   * @param scale float32 [N], the step of each row
   */
  Int8Packed(Tensor weight, Tensor scale) {
    super(weight.size(0), weight.size(1));
    int parts = WorkerPool.pieces(weight.elements(), rows);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      for (int part = 0; part < parts; part++) {
        int from = (int) ((long) rows * part / parts);
        int end = (int) ((long) rows * (part + 1) / parts);
        pieces.add(Piece.of(weight, scale, from, end - from));
      }
    }
  }

  /** Whether this machine's kernel adds without saturating; if not, use the plain form. */
  static boolean isExact() {
    return UnsignedProduct.isExact();
  }

  @Override
  public void apply(float[] x, float[] y, int count) {
    Flops.linear((long) count * width, rows);
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor digits = Tensor.onHost(DType.UINT8, Math.max(FEWEST_ROWS, 2 * count), width);
      float[] steps = round(x, count, digits);
      WorkerPool.each(pieces.size(), piece -> multiply(pieces.get(piece), digits, steps, y));
    }
  }

  private void multiply(Piece piece, Tensor digits, float[] steps, float[] y) {
    try (PointerScope pointers = new PointerScope()) {
      var product = piece.product.of(digits.torch());
      FloatPointer sums = new FloatPointer(product.data_ptr());
      float[] lower = RowMemory.ofThread().array(piece.rows);
      for (int row = 0; row < steps.length; row++) {
        int start = row * rows + piece.from;
        sums.getPointer(2L * row * piece.rows).get(y, start, piece.rows);
        sums.getPointer((2L * row + 1) * piece.rows).get(lower, 0, piece.rows);
        float step = steps[row];
        for (int i = 0; i < piece.rows; i++) {
          y[start + i] = (y[start + i] * Int8.BASE + lower[i]) * step;
        }
      }
    }
  }

  /**
   * Rounds activations; of each row the upper digits come before the lower ones.
   *
   * @return the step of each row
   */
  private float[] round(float[] x, int count, Tensor digits) {
    float levels = Int8.Activations.BITS_15.levels();
    float[] steps = new float[count];
    byte[] upper = new byte[width];
    byte[] lower = new byte[width];
    BytePointer memory = new BytePointer(digits.torch().data_ptr());
    for (int row = 0; row < count; row++) {
      int start = row * width;
      float largest = (float) Int8.SMALLEST;
      for (int i = 0; i < width; i++) {
        largest = Math.max(largest, Math.abs(x[start + i])); // NaN if any is
      }
      float factor = levels / largest;
      for (int i = 0; i < width; i++) {
        double whole = Math.rint(x[start + i] * factor);
        double high = Math.rint(whole / Int8.BASE);
        upper[i] = (byte) (high + UnsignedProduct.ZERO);
        lower[i] = (byte) (whole - high * Int8.BASE + UnsignedProduct.ZERO);
      }
      steps[row] = largest / levels;
      memory.getPointer(2L * start).put(upper);
      memory.getPointer(2L * start + width).put(lower);
    }
    return steps;
  }

  @Override
  public long bytes() {
    return (long) rows * width + 8L * rows;
  }

  @Override
  public void close() {
    pieces.forEach(piece -> piece.product.close());
    pieces.clear();
  }
}
