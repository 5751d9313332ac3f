package dev.jformer.ffn.expert;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** The tokens that a gate is to route, one below the other. */
public final class RoutedRows {
  private final Tensor x;
  private final Tensor ids;
  private final Tensor sequences;

  /**
   * Tokens.
   *
   * @param x [n, D]
   * @param ids int64 [n], which words they are; null if unknown
   * @param sequences int64 [n], number of the sequence that each belongs to
   */
  RoutedRows(Tensor x, Tensor ids, Tensor sequences) {
    this.x = x;
    this.ids = ids;
    this.sequences = sequences;
  }

  /** As many tokens of one sequence of unknown words. */
  static RoutedRows of(Tensor x) {
    return new RoutedRows(x, null, Tensor.zeros(DType.INT64, x.size(0)));
  }

  /** Their vectors [n, D]. */
  Tensor x() {
    return x;
  }

  /** n. */
  long count() {
    return x.size(0);
  }

  /** Number of the sequence that each belongs to, int64 [n]. */
  Tensor sequences() {
    return sequences;
  }

  /**
   * Which words they are, int64 [n].
   *
   * @param gate for the error
   * @throws IllegalStateException if the model has no words
   */
  Tensor ids(String gate) {
    if (ids == null) {
      throw new IllegalStateException(
          "the gate '"
              + gate
              + "' routes by words, but this model says of no token which word it is: choose"
              + " another gate, such as 'switch'");
    }
    return ids;
  }
}
