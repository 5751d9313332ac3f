package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A division of the rows of a batch into sequences that stand side by side and must not see each
 * other. What acts on each token by itself runs on whole rows; what depends on other tokens, or on
 * positions, runs on each sequence apart, as if it were alone. Padding at the end of a row is a
 * sequence, too.
 */
public final class Packing {
  private final List<List<Integer>> lengths;
  private final int width;

  /**
   * Creates a division.
   *
   * @param lengths of the sequences of each row; those of a row add up to the same number
   * @throws IllegalArgumentException if they do not
   */
  public Packing(List<List<Integer>> lengths) {
    this.lengths = lengths.stream().map(List::copyOf).toList();
    this.width = this.lengths.isEmpty() ? 0 : sum(this.lengths.get(0));
    for (List<Integer> row : this.lengths) {
      if (sum(row) != width || width == 0 || row.stream().anyMatch(length -> length < 1)) {
        throw new IllegalArgumentException(
            "a row is divided into sequences of "
                + row
                + " tokens: expected at least one each, and "
                + width
                + " in all as in the first row");
      }
    }
  }

  private static int sum(List<Integer> row) {
    return row.stream().mapToInt(Integer::intValue).sum();
  }

  /** T, the number of tokens of a row. */
  public int width() {
    return width;
  }

  /** The number of tokens of the longest sequence. */
  public int longest() {
    return lengths.stream().flatMap(List::stream).mapToInt(Integer::intValue).max().orElse(0);
  }

  /**
   * Applies a function to each sequence and joins the results as rows.
   *
   * @param x [B, ..., T, ...]
   * @param dim the dimension of the tokens, in {@code x} and in the results
   * @param body gets [1, ..., t, ...], a sequence of t tokens, and returns as many
   */
  public Tensor map(Tensor x, int dim, UnaryOperator<Tensor> body) {
    check(x, dim);
    List<Tensor> rows = new ArrayList<>();
    for (int row = 0; row < lengths.size(); row++) {
      Tensor whole = x.narrow(0, row, 1);
      List<Tensor> parts = new ArrayList<>();
      long start = 0;
      for (int length : lengths.get(row)) {
        parts.add(body.apply(whole.narrow(dim, start, length)));
        start += length;
      }
      rows.add(parts.size() == 1 ? parts.get(0) : Tensor.cat(dim, parts.toArray(Tensor[]::new)));
    }
    return rows.size() == 1 ? rows.get(0) : Tensor.cat(0, rows.toArray(Tensor[]::new));
  }

  private void check(Tensor x, int dim) {
    if (x.size(0) != lengths.size() || x.size(dim) != width) {
      throw new IllegalArgumentException(
          "a batch of "
              + x.size(0)
              + " rows of "
              + x.size(dim)
              + " tokens is divided as "
              + lengths.size()
              + " rows of "
              + width);
    }
  }
}
