package dev.jformer.nn.temporal;

import dev.jformer.config.Checks;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A causal convolution over the frames of a sequence, from all channels to all: frame t is computed
 * from the frames t - size + 1 … t; those before the first count as zeros. [B, T, C] to [B, T, E],
 * without a bias.
 */
public final class TemporalConvolution extends TemporalLayer {
  private final int size;
  private final Parameter weight;

  /**
   * Creates a layer.
   *
   * @param in C
   * @param out E
   * @param size frames that an output is computed from
   */
  public TemporalConvolution(int in, int out, int size) {
    Checks.atLeast("size", size, 1);
    this.size = size;
    this.weight = parameter("weight", Initializer.uniformFanIn().create(out, in, size));
  }

  @Override
  public Tensor run(Tensor x, StreamState state) {
    Tensor before = kept(state);
    Tensor all =
        before == null ? Functional.pad(x, 0, 0, 0, size - 1, 0) : Tensor.cat(1, before, x);
    keep(state, all.narrow(1, all.size(1) - (size - 1), size - 1));
    return Functional.conv1d(all.transpose(1, 2), weight.value(), null, 1, 0, 1, 1).transpose(1, 2);
  }
}
