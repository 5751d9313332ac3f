package dev.jformer.model;

import dev.jformer.mixer.TokenMixer;
import dev.jformer.nn.RowFunction;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Engine;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** The blocks of a stack for one token of each sequence, in plain floats, with their states. */
final class BlocksRows {
  private final List<RowFunction> blocks;
  private float[] other = {};

  private BlocksRows(List<RowFunction> blocks) {
    this.blocks = blocks;
  }

  /** Makes the functions of blocks; null if one has none. */
  static BlocksRows of(List<? extends ResidualBlock> blocks, List<TokenMixer.State> states) {
    List<RowFunction> functions = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      RowFunction function =
          blocks.get(i).isTraining() ? null : blocks.get(i).rowFunction(states.get(i));
      if (function == null) {
        return null;
      }
      functions.add(function);
    }
    return new BlocksRows(functions);
  }

  /** Whether states x [B, T, D] are few, and no gradient is wanted. */
  static boolean suits(Tensor x) {
    return x.size(1) == 1
        && x.size(0) <= RowFunction.MOST_ROWS
        && x.dtype() == DType.FLOAT32
        && x.isOnHost()
        && !Autograd.isEnabled()
        && !Autograd.isAutocast();
  }

  /** Transforms states [B, 1, D]. */
  Tensor apply(Tensor x) {
    float[] from = x.toFloats();
    if (other.length != from.length) {
      other = new float[from.length];
    }
    float[] to = other;
    try (Mode mode = Engine.singleThreaded()) {
      for (RowFunction block : blocks) {
        block.apply(from, to, Math.toIntExact(x.size(0)));
        float[] swapped = from;
        from = to;
        to = swapped;
      }
    }
    other = to;
    return Tensor.of(from, x.shape().toArray());
  }
}
