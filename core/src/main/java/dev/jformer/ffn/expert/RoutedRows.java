package dev.jformer.ffn.expert;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/** The tokens that a gate routes, as rows of a matrix. */
public final class RoutedRows {
  private final Tensor x;
  private final Tensor ids;
  private final Tensor sequences;

  /**
   * Creates rows of tokens.
   *
   * @param x [n, D]
   * @param ids int64 [n], ids in the vocabulary; null if unknown
   * @param sequences int64 [n], index of each token's sequence
   */
  RoutedRows(Tensor x, Tensor ids, Tensor sequences) {
    this.x = x;
    this.ids = ids;
    this.sequences = sequences;
  }

  /** Rows of tokens of one sequence, with unknown ids. */
  static RoutedRows of(Tensor x) {
    return new RoutedRows(x, null, Tensor.zeros(DType.INT64, x.size(0)));
  }

  /** The tokens' vectors [n, D]. */
  Tensor x() {
    return x;
  }

  /** The number n of tokens. */
  long count() {
    return x.size(0);
  }

  /** The index of each token's sequence, int64 [n]. */
  Tensor sequences() {
    return sequences;
  }

  /**
   * The tokens' ids in the vocabulary, int64 [n].
   *
   * @param gate name of the gate, for the error
   * @throws IllegalStateException if the model does not provide ids
   */
  Tensor ids(String gate) {
    if (ids == null) {
      throw new IllegalStateException(
          "the gate '"
              + gate
              + "' routes by token ids, but this model does not provide them: choose"
              + " another gate, such as 'switch'");
    }
    return ids;
  }
}
