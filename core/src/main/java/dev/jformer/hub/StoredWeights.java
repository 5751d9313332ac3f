package dev.jformer.hub;

import dev.jformer.io.Weights;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.util.Optional;
import java.util.Set;

/** Named tensors in a file of any format. */
interface StoredWeights {
  Set<String> names();

  Shape shape(String name);

  DType dtype(String name);

  Tensor tensor(String name);

  /**
   * Copies a tensor into one of the same shape; files whose tensors must be decoded save memory so.
   */
  default void copyTo(String name, Tensor target) {
    target.copy_(tensor(name));
  }

  /**
   * A matrix as the blocks of integers that its file holds, in the innermost open scope.
   *
   * @param transposed whether the blocks are wanted of the transposed matrix
   * @return empty if the file holds it in another form
   */
  default Optional<IntegerBlocks> blocks(String name, boolean transposed) {
    return Optional.empty();
  }

  /** The form of the blocks that {@link #blocks} has; empty if it has none. */
  default Optional<BlockForm> form(String name, boolean transposed) {
    return Optional.empty();
  }

  /** The name of a tensor in the file itself, for messages. */
  default String spelled(String name) {
    return name;
  }

  /** The weights of safetensors files. */
  static StoredWeights of(Weights weights) {
    return new StoredWeights() {
      @Override
      public Set<String> names() {
        return weights.names();
      }

      @Override
      public Shape shape(String name) {
        return weights.shape(name);
      }

      @Override
      public DType dtype(String name) {
        return weights.dtype(name);
      }

      @Override
      public Tensor tensor(String name) {
        return weights.tensor(name);
      }
    };
  }
}
