package dev.jformer.nn.quantized;

import com.google.auto.service.AutoService;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.Projection;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.internal.Derived;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int4;
import dev.jformer.tensor.Tensor;
import java.util.Set;

/**
 * A linear layer [..., in] to [..., out] of 4-bit weights, rounded to the nearest in groups of
 * adjacent values. It is for decoding, which is as fast as weights can be read. On disk a value
 * takes half a byte and a share of its group's scale and offset.
 *
 * <p>Few rows are multiplied by libtorch's kernel, which rounds activations and results to
 * bfloat16. It needs the weights in an order of its own, which depends on the processor, so a copy
 * in that order is made at the first use and kept beside the plain form. For many rows the weights
 * are converted to floats first. A float64 input is multiplied in float64, without rounding.
 *
 * <p>The layer has no gradients and cannot be trained.
 */
public final class WeightInt4Linear extends QuantizedRowsLinear {
  /** From this many rows on, converting the weights to floats is faster than the kernel. */
  static final long MANY = 64;

  /**
   * Configuration.
   *
   * @param group number of adjacent values that share a scale: 32, 64 or 128
   */
  @AutoService(Projection.class)
  public record Config(int group) implements Projection {
    /** Default: groups of 64. */
    public Config() {
      this(64);
    }

    /** Checks the values. */
    public Config {
      if (!Set.of(32, 64, 128).contains(group)) {
        throw new IllegalArgumentException("group is " + group + ": expected 32, 64 or 128");
      }
    }

    @Override
    public String type() {
      return "weight-int4";
    }

    @Override
    public boolean trains() {
      return false;
    }

    @Override
    public WeightInt4Linear build(long in, long out, boolean bias, Initializer initializer) {
      return new WeightInt4Linear(Int4Rows.zeros(out, in, group), zeros(out, bias));
    }

    @Override
    public TokenEmbedding table(long count, long width, Initializer initializer) {
      return new Int4Embedding(count, width, group);
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final Int4Rows rows;
  private final Derived<Int4> packed = new Derived<>(Int4::close);

  WeightInt4Linear(Int4Rows rows, Parameter bias) {
    super(rows.codes(), rows.scales(), bias);
    this.rows = rows;
  }

  @Override
  Tensor product(Tensor x) {
    Tensor offset = offset(DType.FLOAT32);
    if (x.size(0) >= MANY) {
      return Functional.linear(x, rows.dequantized(), offset);
    }
    return packed().linear(x.contiguous(), offset);
  }

  @Override
  Tensor matrix(DType dtype) {
    return rows.dequantized().to(dtype);
  }

  @Override
  RowFunction rowProduct() {
    return (x, y, count) -> packed().apply(x, y, count);
  }

  private Int4 packed() {
    return packed.get(rows::packed);
  }

  /** The bytes of the kernel's copy; 0 before the first use. */
  @Override
  public long derivedBytes() {
    return packed.bytes(Int4::bytes);
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
    forget();
  }

  @Override
  protected void forget() {
    packed.forget();
  }
}
