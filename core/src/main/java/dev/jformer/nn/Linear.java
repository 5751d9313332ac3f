package dev.jformer.nn;

import com.google.auto.service.AutoService;
import dev.jformer.tensor.FloatProduct;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer {@code x Wᵀ + b}: [..., in] to [..., out]. The bias is optional and starts at
 * zero.
 */
public final class Linear extends Layer {
  /** The projection whose layers are plain linear layers. */
  @AutoService(Projection.class)
  public record Config() implements Projection {
    @Override
    public String type() {
      return "linear";
    }

    @Override
    public Linear build(long in, long out, boolean bias, Initializer initializer) {
      return new Linear(in, out, bias, initializer);
    }
  }

  private final Parameter weight;
  private final Parameter bias;

  /** Creates a layer; {@code initializer} makes the weight [out, in]. */
  public Linear(long in, long out, boolean bias, Initializer initializer) {
    this.weight = parameter("weight", initializer.create(out, in));
    this.bias = bias ? parameter("bias", Tensor.zeros(out)) : null;
  }

  /** Creates a layer from values: weight [out, in], and bias [out] or null. */
  public Linear(Tensor weight, Tensor bias) {
    this.weight = parameter("weight", weight);
    this.bias = bias == null ? null : parameter("bias", bias);
  }

  /** Creates a layer that shares the weight [out, in] of another module, without bias. */
  public Linear(Parameter shared) {
    this.weight = register("weight", shared);
    this.bias = null;
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.linear(x, weight.value(), bias == null ? null : bias.value());
  }

  @Override
  public RowFunction rowFunction() {
    Tensor matrix = weight.value();
    if (!FloatProduct.suits(matrix)) {
      return null;
    }
    RowFunction product = new FloatProduct(matrix)::apply;
    return product.plus(bias == null ? null : bias.value().toFloats());
  }

  /** The weight [out, in]. */
  public Parameter weight() {
    return weight;
  }

  /** The bias [out], or null. */
  public Parameter bias() {
    return bias;
  }
}
