package dev.jformer.model;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * How a part of a block is added to the residual stream: its normalisation, before the part or
 * after the sum, and the branch that its output passes.
 */
record Sublayer(NormPlacement placement, Slot<Layer> norm, Slot<Layer> branch) {
  /** The stream x [B, T, D] after a part of the block. */
  Tensor apply(Tensor x, UnaryOperator<Tensor> part) {
    return add(x, part.apply(input(x)));
  }

  /** What the part is given. */
  Tensor input(Tensor x) {
    return placement == NormPlacement.PRE ? norm.get().forward(x) : x;
  }

  /** The stream with the part's output added. */
  Tensor add(Tensor x, Tensor output) {
    Tensor sum = x.add(branch.get().forward(output));
    return placement == NormPlacement.PRE ? sum : norm.get().forward(sum);
  }
}
