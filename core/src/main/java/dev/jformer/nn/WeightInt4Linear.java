package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int4;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Set;

/**
 * A linear layer [..., in] to [..., out] of 4-bit weights, rounded to the nearest in groups of
 * neighbours, for decoding, which is as fast as weights can be read. On disk a value takes half a
 * byte and a share of its group's scale and offset.
 *
 * <p>Few rows are multiplied by the engine's kernel, which rounds activations and results to bf16;
 * it wants the weights in an order of its own, which depends on the processor, so a copy in that
 * order is made at the first use, and is held beside the plain form. For many rows the weights are
 * made floats first. A float64 input is multiplied in float64, not rounded.
 *
 * <p>No gradient flows through the layer, and it refuses to train.
 */
public final class WeightInt4Linear extends Layer implements QuantizedWeight {
  /** With so many rows, making floats of the weights costs less than the kernel loses. */
  static final long MANY = 64;

  /**
   * Configuration.
   *
   * @param group how many neighbours have a scale in common: 32, 64 or 128
   */
  @AutoService(Projection.class)
  public record Config(int group) implements Projection {
    /** Groups of 64. */
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
      return new WeightInt4Linear(
          Int4Rows.zeros(out, in, group), bias ? Parameter.buffer(Tensor.zeros(out)) : null);
    }

    @Override
    public Table table(long count, long width, Initializer initializer) {
      return new Int4Table(count, width, group);
    }

    @Override
    public Layer output(long in, long out, Initializer initializer) {
      return build(in, out, false, initializer);
    }
  }

  private final Int4Rows rows;
  private final Parameter bias;
  private Int4 packed;

  WeightInt4Linear(Int4Rows rows, Parameter bias) {
    this.rows = rows;
    this.bias = bias;
    register("weight", rows.codes());
    register("scale", rows.scales());
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
          rows.dequantized().to(DType.FLOAT64),
          offset == null ? null : offset.to(DType.FLOAT64));
    }
    try (Mode mode = Autograd.autocast(DType.BFLOAT16, false)) {
      Tensor flat = x.detach().reshape(-1, x.size(-1)).to(DType.FLOAT32);
      Tensor y;
      if (flat.size(0) >= MANY) {
        y = Functional.linear(flat, rows.dequantized(), offset);
      } else {
        y = packed().product(rows.filled(flat));
        y = offset == null ? y : y.add_(offset);
      }
      long[] shape = x.shape().toArray();
      shape[shape.length - 1] = y.size(1);
      return y.reshape(shape);
    }
  }

  private Int4 packed() {
    if (packed == null) {
      try (Mode mode = Autograd.noInference();
          Scope scope = Scope.open()) {
        packed = rows.packed();
      }
    }
    return packed;
  }

  /** Those of the kernel's copy; 0 before the first use. */
  @Override
  public long derivedBytes() {
    return packed == null ? 0 : packed.bytes();
  }

  @Override
  public void quantize(Tensor weight) {
    rows.quantize(weight);
    forget();
  }

  @Override
  protected void forget() {
    if (packed != null) {
      packed.close();
      packed = null;
    }
  }

  @Override
  public Tensor dequantized() {
    return rows.dequantized();
  }
}
