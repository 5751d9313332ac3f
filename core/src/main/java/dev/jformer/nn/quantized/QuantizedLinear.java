package dev.jformer.nn.quantized;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer that rounds its input and multiplies it with a rounded weight: {@code Q(x) Ŵᵀ +
 * b}, [..., in] to [..., out]. A layer around it, such as {@link NoisyLinear}, needs only these
 * methods.
 */
public abstract class QuantizedLinear extends Layer {
  /** Computes the rounded weight Ŵ, float32 [out, in]. */
  public abstract Tensor weight();

  /** The bias that is added to the product, float32 [out]. */
  public abstract Parameter bias();

  /** The rounded input Q(x), float32. */
  public abstract Tensor rounded(Tensor x);

  /** The largest distance between neighbouring numbers that activations are rounded to. */
  public abstract double step();
}
