package dev.jformer.nn.shift;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.internal.Derived;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.nio.ByteBuffer;

/**
 * A trained shift network's linear layer {@code x Wᵀ + b}, [..., in] to [..., out], as it is kept:
 * weights {@code ±2^p} times a scale for each output, in codes of 2 to 4 bits, as in <a
 * href="https://arxiv.org/abs/2208.09708">DenseShift: Towards Accurate and Transferable Low-Bit
 * Shift Network</a> (without zero; others have it). Code {@code i} of a row takes the bits from
 * {@code i} times so many on, its lowest first; bit {@code b} of a row stands in its byte {@code b
 * / 8}.
 *
 * <p>With {@link Arithmetic#SHIFTS} a row of the input is rounded to integers of 8 bits, in steps
 * of its largest absolute value over 127; these are shifted by p, given the sign, and added up in
 * 32 bits, exactly. Only each result is multiplied, by both scales. On processors whose products of
 * 8-bit integers are as fast as sums this gains nothing.
 *
 * <p>With {@link Arithmetic#FLOATS} inputs are not rounded. libtorch multiplies floats, so the
 * first pass computes the matrix, which is kept until the codes change: files are small, memory is
 * not. (The paper adds p to the exponents of 16-bit floats, for which libtorch has no kernel.)
 *
 * <p>The codes have no gradients, and the layer cannot be trained.
 */
public final class ShiftLinear extends Layer implements QuantizedWeight, ShiftWeight {
  /** How products are computed. */
  public enum Arithmetic {
    /** Floats times floats. */
    FLOATS,
    /** 8-bit integers, shifted and added. */
    SHIFTS
  }

  /**
   * Configuration.
   *
   * @param bits bits of a weight, 2 to 4
   * @param zero whether 0 is among the weights
   * @param arithmetic how products are computed
   */
  @AutoService(Projection.class)
  public record Config(int bits, boolean zero, Arithmetic arithmetic) implements Projection {
    /** Default: DenseShift with 3 bits. */
    public Config() {
      this(3, false, Arithmetic.FLOATS);
    }

    /** Checks the values. */
    public Config {
      new ShiftFormat(bits, zero);
      if (arithmetic == null) {
        throw new IllegalArgumentException("arithmetic is null: expected floats or shifts");
      }
    }

    @Override
    public String type() {
      return "shift";
    }

    @Override
    public boolean trains() {
      return false;
    }

    /** Builds a layer of scale zero, to be filled; nothing is drawn. */
    @Override
    public ShiftLinear build(long in, long out, boolean bias, Initializer initializer) {
      return new ShiftLinear(this, in, out, bias);
    }
  }

  private final Arithmetic arithmetic;
  private final ShiftFormat format;
  private final int in;
  private final int out;
  private final Parameter codes;
  private final Parameter scale;
  private final Parameter bias;
  private final Derived<Tensor> whole = Derived.tensor();

  ShiftLinear(Config config, long in, long out, boolean bias) {
    this.arithmetic = config.arithmetic();
    this.format = new ShiftFormat(config.bits(), config.zero());
    this.in = Math.toIntExact(in);
    this.out = Math.toIntExact(out);
    if (in > ShiftProduct.longest(format.largest())) {
      throw new IllegalArgumentException(
          "a row of " + in + " weights is too long: the sum of its products may not fit 32 bits");
    }
    this.codes = buffer("codes", Tensor.zeros(DType.UINT8, out, format.bytes(in)));
    this.scale = buffer("scale", Tensor.zeros(out));
    this.bias = bias ? buffer("bias", Tensor.zeros(out)) : null;
  }

  /**
   * Copies weights to this layer.
   *
   * @throws IllegalArgumentException if they have a sign or exponent that this layer's bits cannot
   *     represent, or a scale is not finite
   */
  public void fill(ShiftWeight weight) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      fill(weight.signs().toBytes(), weight.shifts().toBytes(), Int8Rows.finite(weight.scales()));
    }
  }

  private void fill(byte[] signs, byte[] shifts, Tensor scales) {
    int width = Math.toIntExact(format.bytes(in));
    byte[] packed = new byte[out * width];
    for (int row = 0; row < out; row++) {
      for (int i = 0; i < in; i++) {
        int code = format.code(signs[row * in + i], shifts[row * in + i]);
        for (int b = 0; b < format.bits(); b++) {
          int bit = i * format.bits() + b;
          packed[row * width + bit / 8] |= (byte) ((code >> b & 1) << (bit % 8));
        }
      }
    }
    codes.copyFrom(Tensor.of(packed, out, width).viewAs(DType.UINT8));
    scale.copyFrom(scales);
    forget();
  }

  /** Rounds a matrix to the nearest powers of two, with the best scale for each row. */
  @Override
  public void quantize(Tensor weight) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      double[] values = Int8Rows.finite(weight).to(DType.FLOAT64).toDoubles();
      byte[] signs = new byte[values.length];
      byte[] shifts = new byte[values.length];
      float[] scales = new float[out];
      for (int row = 0; row < out; row++) {
        double[] each = java.util.Arrays.copyOfRange(values, row * in, (row + 1) * in);
        double step = format.scale(each);
        scales[row] = (float) step;
        for (int i = 0; i < in; i++) {
          int shift = format.nearest(step == 0 ? 0 : Math.abs(each[i]) / step);
          signs[row * in + i] = (byte) (shift < 0 ? 0 : each[i] < 0 ? -1 : 1);
          shifts[row * in + i] = (byte) Math.max(0, shift);
        }
      }
      fill(signs, shifts, Tensor.of(scales, out));
    }
  }

  /** Decodes the codes of a row. */
  private void decode(ByteBuffer bytes, int row, int[] into) {
    int start = Math.toIntExact(row * format.bytes(in));
    int mask = (1 << format.bits()) - 1;
    int last = start + Math.toIntExact(format.bytes(in)) - 1;
    for (int i = 0; i < in; i++) {
      int bit = i * format.bits();
      int at = start + bit / 8;
      int two = (bytes.get(at) & 0xff) | (at < last ? (bytes.get(at + 1) & 0xff) << 8 : 0);
      into[i] = two >> (bit % 8) & mask;
    }
  }

  private Tensor decoded(java.util.function.IntUnaryOperator part) {
    byte[] all = new byte[out * in];
    int[] row = new int[in];
    ByteBuffer bytes = codes.value().asBuffer();
    for (int r = 0; r < out; r++) {
      decode(bytes, r, row);
      for (int i = 0; i < in; i++) {
        all[r * in + i] = (byte) part.applyAsInt(row[i]);
      }
    }
    return Tensor.of(all, out, in);
  }

  @Override
  public Tensor signs() {
    return decoded(format::sign);
  }

  @Override
  public Tensor shifts() {
    return decoded(format::shift);
  }

  @Override
  public Tensor scales() {
    return scale.value();
  }

  /** The weight W [out, in], float32. */
  @Override
  public Tensor dequantized() {
    return Scope.tidy(() -> integers().mul(scale.value().unsqueeze(1)));
  }

  /** The values ±2^p, float32 [out, in]. */
  private Tensor integers() {
    return decoded(code -> format.sign(code) * (1 << Math.min(6, format.shift(code))))
        .to(DType.FLOAT32)
        .mul(decoded(code -> 1 << Math.max(0, format.shift(code) - 6)).to(DType.FLOAT32));
  }

  @Override
  public Tensor forward(Tensor x) {
    if (isTraining()) {
      throw new UnsupportedOperationException(
          "a layer of the projection shift cannot be trained: train one of denseshift or"
              + " shift-rounded and fold it, or switch it to inference");
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor offset = bias == null ? null : bias.value().to(x.dtype());
      return arithmetic == Arithmetic.SHIFTS
          ? shifted(x, offset)
          : Functional.linear(x, matrix().to(x.dtype()), offset);
    }
  }

  private Tensor shifted(Tensor x, Tensor offset) {
    return Scope.tidy(
        () -> {
          Tensor rows = x.detach().reshape(-1, in);
          Tensor step = rows.abs().max(1, true).mul(1.0 / Int8.LEVELS);
          Tensor divisor = step.clamp(Float.MIN_NORMAL, Double.POSITIVE_INFINITY);
          Tensor whole = rows.div(divisor).round().to(DType.INT8);
          Tensor sums = product(whole).to(x.dtype());
          Tensor y = sums.mul(step).mul(scale.value().to(x.dtype()));
          long[] shape = x.shape().toArray();
          shape[shape.length - 1] = out;
          return (offset == null ? y : y.add(offset)).reshape(shape);
        });
  }

  /**
   * The product of integers with ±2^p, by shifts and sums.
   *
   * @param x int8 [N, in]
   * @return int32 [N, out]
   */
  public Tensor product(Tensor x) {
    ByteBuffer bytes = codes.value().asBuffer();
    int[] row = new int[in];
    int[] shifts = new int[in];
    int[] masks = new int[in];
    ShiftProduct product = new ShiftProduct(x.toBytes(), in, out);
    for (int r = 0; r < out; r++) {
      decode(bytes, r, row);
      boolean zeros = false;
      for (int i = 0; i < in; i++) {
        int sign = format.sign(row[i]);
        shifts[i] = format.shift(row[i]);
        masks[i] = sign < 0 ? -1 : 0;
        zeros |= sign == 0;
      }
      product.row(r, shifts, masks);
      if (zeros) {
        for (int i = 0; i < in; i++) {
          masks[i] = format.sign(row[i]) == 0 ? -1 : 0;
        }
        product.without(r, masks);
      }
    }
    return product.sums();
  }

  private Tensor matrix() {
    return whole.get(() -> dequantized().keep(), codes.value(), scale.value());
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }

  /** The bytes of the float matrix, once it has been computed. */
  @Override
  public long derivedBytes() {
    return Derived.bytes(whole);
  }

  @Override
  protected void forget() {
    whole.forget();
  }
}
