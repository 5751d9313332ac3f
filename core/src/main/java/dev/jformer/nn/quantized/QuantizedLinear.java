package dev.jformer.nn.quantized;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Tensor;

/**
 * A linear layer that rounds what it is given and multiplies it with a weight that is rounded too:
 * {@code Q(x) Ŵᵀ + b}, [..., in] to [..., out]. What stands in front of it, such as the noise of
 * {@link NoisyLinear}, needs to know no more of how it rounds.
 */
public abstract class QuantizedLinear extends Layer {
  /** Ŵ, float32 [out, in], made anew. */
  public abstract Tensor weight();

  /** What is added to the product, float32 [out]. */
  public abstract Parameter bias();

  /** Q(x), float32, as the layer rounds what it is given. */
  public abstract Tensor rounded(Tensor x);

  /** How far apart the numbers are that activations are rounded to, where they lie farthest. */
  public abstract double step();
}
