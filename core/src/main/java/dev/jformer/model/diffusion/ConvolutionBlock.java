package dev.jformer.model.diffusion;

import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.GroupNorm;
import dev.jformer.nn.Initializer;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A residual block of a {@link UNet}: two convolutions, between which normalised channels are
 * scaled and shifted by vectors s and t that a linear layer makes of the condition.
 *
 * <pre>
 * h = Conv(SiLU(GN(x))), y = Skip(x) + Conv(SiLU(GN(h) (1 + s) + t))
 * </pre>
 *
 * <p>The second convolution starts at zero. Skip is the identity, or a convolution with a kernel of
 * one pixel if the number of channels changes.
 */
final class ConvolutionBlock extends Module {
  private final Slot<Layer> firstNorm;
  private final Slot<Layer> first;
  private final Slot<Layer> modulation;
  private final Slot<Layer> secondNorm;
  private final Slot<Layer> second;
  private final Slot<Layer> skip;

  /**
   * Creates a block.
   *
   * @param in channels of the input
   * @param out channels of the output
   * @param condition width of the condition
   * @param groups of channels that are normalised together
   */
  ConvolutionBlock(int in, int out, int condition, int groups) {
    this.firstNorm = child("firstNorm", Layer.class, new GroupNorm(groups, in));
    this.first = child("first", Layer.class, convolution(in, out, Initializer.uniformFanIn()));
    this.modulation =
        child(
            "modulation",
            Layer.class,
            new Linear(condition, 2L * out, true, Initializer.uniformFanIn()));
    this.secondNorm = child("secondNorm", Layer.class, new GroupNorm(groups, out));
    this.second = child("second", Layer.class, convolution(out, out, Initializer.zeros()));
    this.skip =
        in == out
            ? null
            : child(
                "skip",
                Layer.class,
                new Convolution2d(in, out, 1, 1, 0, Initializer.uniformFanIn()));
  }

  /** A convolution with a kernel of 3 x 3 that keeps the size. */
  static Layer convolution(int in, int out, Initializer initializer) {
    return new Convolution2d(in, out, 3, 1, 1, initializer);
  }

  /**
   * Applies the block.
   *
   * @param x [B, in, H, W]
   * @param condition [B, D]
   * @return [B, out, H, W]
   */
  Tensor forward(Tensor x, Tensor condition) {
    Tensor hidden = first.get().forward(Functional.silu(firstNorm.get().forward(x)));
    List<Tensor> m = modulation.get().forward(condition).unsqueeze(2).unsqueeze(3).chunk(2, 1);
    Tensor scaled = m.get(1).addProduct(secondNorm.get().forward(hidden), m.get(0).add(1.0));
    Tensor branch = second.get().forward(Functional.silu(scaled));
    return branch.add(skip == null ? x : skip.get().forward(x));
  }
}
