package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int8;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer [..., in] to [..., out] of 8-bit weights, rounded to the nearest with a scale for
 * each row, for decoding, which is as fast as weights can be read. Activations are rounded to 15
 * bits a row, which costs next to nothing in quality and lets the product run on integers; see
 * {@link Int8.Activations#BITS_15}. A float64 input is multiplied in float64, not rounded.
 *
 * <p>No gradient flows through the layer, and it refuses to train.
 */
public final class WeightInt8Linear extends Layer implements QuantizedWeight {
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
      return new WeightInt8Linear(
          Int8Rows.zeros(out, in), bias ? Parameter.buffer(Tensor.zeros(out)) : null);
    }

    @Override
    public Table table(long count, long width, Initializer initializer) {
      return new Int8Table(count, width, rows -> new WeightInt8Linear(rows, null));
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final Int8Rows rows;
  private final Parameter bias;

  private WeightInt8Linear(Int8Rows rows, Parameter bias) {
    this.rows = rows;
    this.bias = bias;
    register("weight", rows.values());
    register("scale", rows.scale());
    if (bias != null) {
      register("bias", bias);
    }
  }

  @Override
  public Tensor forward(Tensor x) {
    Int8Linear.refuseTraining(this);
    Tensor offset = bias == null ? null : bias.value();
    if (x.dtype() == DType.FLOAT64) {
      return Functional.linear(
          x.detach(),
          rows.dequantized(DType.FLOAT64),
          offset == null ? null : offset.to(DType.FLOAT64));
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor y =
          Int8.linear(
              x.detach().reshape(-1, x.size(-1)).to(DType.FLOAT32).contiguous(),
              rows.values().value(),
              rows.scale().value(),
              offset,
              Int8.Activations.BITS_15);
      long[] shape = x.shape().toArray();
      shape[shape.length - 1] = y.size(1);
      return y.reshape(shape);
    }
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
  }

  @Override
  public Tensor dequantized() {
    return rows.dequantized(DType.FLOAT32);
  }
}
