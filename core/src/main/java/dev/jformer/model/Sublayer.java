package dev.jformer.model;

import dev.jformer.nn.Identity;
import dev.jformer.nn.Layer;
import dev.jformer.nn.RowFunction;
import dev.jformer.nn.Slot;
import dev.jformer.tensor.Tensor;
import java.util.function.UnaryOperator;

/**
 * A sublayer of a block: the normalisation, before a part of the block or after the sum, the
 * normalisation {@code outputNorm} of the part's output, which is an identity in most blocks, and
 * the layer {@code branch} that it passes before it is added to the residual stream.
 */
record Sublayer(
    NormPlacement placement, Slot<Layer> norm, Slot<Layer> outputNorm, Slot<Layer> branch) {
  /** Builds the normalisation of a part's output. */
  static Layer outputNorm(BlockConfig config, int width) {
    return config.placement() == NormPlacement.SANDWICH
        ? config.norm().build(width)
        : new Identity();
  }

  /** Applies a part of the block to the residual stream x [B, T, D]. */
  Tensor apply(Tensor x, UnaryOperator<Tensor> part) {
    return add(x, part.apply(input(x)));
  }

  /**
   * The sublayer for plain floats; null if one of its layers has no function for them.
   *
   * @param part the part of the block, or null
   * @param after a layer that the sum passes
   */
  SublayerRows rows(RowFunction part, Layer after, int width) {
    RowFunction normalise = norm.get().rowFunction();
    RowFunction ofOutput = outputNorm.get().rowFunction();
    RowFunction ofBranch = branch.get().rowFunction();
    boolean complete =
        part != null
            && normalise != null
            && ofOutput != null
            && ofBranch != null
            && after.rowFunction() == RowFunction.IDENTITY;
    return complete
        ? new SublayerRows(placement.isBefore(), normalise, part, ofOutput, ofBranch, width)
        : null;
  }

  /** Computes the input of the part from the residual stream. */
  Tensor input(Tensor x) {
    return placement.isBefore() ? norm.get().forward(x) : x;
  }

  /** Adds the part's output to the residual stream. */
  Tensor add(Tensor x, Tensor output) {
    Tensor sum = x.add(branch.get().forward(outputNorm.get().forward(output)));
    return placement.isBefore() ? sum : norm.get().forward(sum);
  }
}
