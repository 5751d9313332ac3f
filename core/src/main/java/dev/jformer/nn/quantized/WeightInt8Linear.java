package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.internal.Derived;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.RowProduct;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer [..., in] to [..., out] of 8-bit weights, rounded to the nearest with a scale for
 * each row. It is for decoding, which is as fast as weights can be read. A float64 input is
 * multiplied in float64.
 *
 * <p>Up to four rows are multiplied as they are: in Java's Vector API where it is on, otherwise
 * with a copy of the weights in panels, which is made at the first use and kept beside the plain
 * form. More rows are rounded to 15 bits with a scale for each row, which costs almost no quality
 * and lets the product run on integers, see {@link Int8.Activations#BITS_15}; up to eight need
 * another copy, in oneDNN's order. On processors without fast products of integers nothing is
 * rounded.
 *
 * <p>The layer has no gradients and cannot be trained.
 */
public final class WeightInt8Linear extends QuantizedRowsLinear {
  /** Configuration. */
  @AutoService(Projection.class)
  public record Config() implements Projection {
    @Override
    public String type() {
      return "weight-int8";
    }

    @Override
    public boolean trains() {
      return false;
    }

    @Override
    public WeightInt8Linear build(long in, long out, boolean bias, Initializer initializer) {
      return new WeightInt8Linear(Int8Rows.zeros(out, in), zeros(out, bias));
    }

    @Override
    public TokenEmbedding table(long count, long width, Initializer initializer) {
      return new Int8Embedding(count, width, rows -> new WeightInt8Linear(rows, null));
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final Int8Rows rows;
  private final Derived<RowProduct> few = new Derived<>(RowProduct::close);

  private WeightInt8Linear(Int8Rows rows, Parameter bias) {
    super(rows.values(), rows.scale(), bias);
    this.rows = rows;
  }

  @Override
  Tensor product(Tensor x) {
    Tensor offset = offset(DType.FLOAT32);
    Tensor values = rows.values().value();
    Tensor scale = rows.scale().value();
    if (x.size(0) <= RowProduct.MOST_ROWS && Int8.hasRowProduct(values)) {
      return few().linear(x.contiguous(), offset);
    }
    return Int8.isFast(values)
        ? Int8.linear(x.contiguous(), values, scale, offset, Int8.Activations.BITS_15)
        : Int8.ofFloats(x, values, scale, offset);
  }

  @Override
  RowFunction rowProduct() {
    return Int8.hasRowProduct(rows.values().value())
        ? (x, y, count) -> few().apply(x, y, count)
        : null;
  }

  private RowProduct few() {
    Tensor values = rows.values().value();
    Tensor scale = rows.scale().value();
    return few.get(() -> Int8.rowProduct(values, scale), values, scale);
  }

  /** The bytes of what the kernel keeps beside the plain form; 0 before the first use. */
  @Override
  public long derivedBytes() {
    return few.bytes(RowProduct::bytes);
  }

  @Override
  Tensor matrix(DType dtype) {
    return rows.dequantized(dtype);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
    forget();
  }

  @Override
  protected void forget() {
    few.forget();
  }
}
