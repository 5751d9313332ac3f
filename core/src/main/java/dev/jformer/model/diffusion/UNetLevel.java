package dev.jformer.model.diffusion;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Module;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;
import java.util.Deque;
import java.util.List;

/**
 * The blocks of one resolution of a {@link UNet}, on the way down or up, and the convolution that
 * leads to the next resolution.
 */
final class UNetLevel extends Module {
  private final List<Slot<ConvolutionBlock>> residual;
  private final Slot<Layer> change;

  /**
   * Creates a level.
   *
   * @param name of the convolution that leads to the next resolution
   * @param change the convolution; null at the end of the way
   */
  UNetLevel(List<ConvolutionBlock> blocks, String name, Layer change) {
    this.residual = children("residual", ConvolutionBlock.class, blocks);
    this.change = change == null ? null : child(name, Layer.class, change);
  }

  /**
   * Applies the level on the way down.
   *
   * @param kept gets the output of each block, and that of the layer behind them
   */
  Tensor down(Tensor x, Tensor condition, Deque<Tensor> kept) {
    Tensor now = x;
    for (Slot<ConvolutionBlock> block : residual) {
      now = block.get().forward(now, condition);
      kept.push(now);
    }
    if (change != null) {
      now = change.get().forward(now);
      kept.push(now);
    }
    return now;
  }

  /**
   * Applies the level on the way up. Before the last layer each pixel becomes four.
   *
   * @param kept what was kept on the way down; each block takes the last one away
   */
  Tensor up(Tensor x, Tensor condition, Deque<Tensor> kept) {
    Tensor now = x;
    for (Slot<ConvolutionBlock> block : residual) {
      now = block.get().forward(Tensor.cat(1, now, kept.pop()), condition);
    }
    return change == null ? now : change.get().forward(Functional.doubled(now));
  }
}
