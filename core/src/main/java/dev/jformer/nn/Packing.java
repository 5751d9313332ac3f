package dev.jformer.nn;

import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A division of the rows of a batch into sequences that stand side by side and must not see each
 * other. What acts on each token by itself runs on whole rows; what depends on other tokens, or on
 * positions, runs on each sequence apart, as if it were alone. Padding at the end of a row is a
 * sequence, too.
 */
public final class Packing {
  /** The length of the shortest sequence of a padded batch as a share of that of the longest. */
  private static final double SHORTEST = 0.7;

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

  /**
   * Applies a function to sequences of about the same length together, in a batch of their own, and
   * joins the results as rows: faster than {@link #map} where sequences are many and short.
   *
   * @param x [B, T, C]
   * @param padded whether shorter sequences of such a batch may be padded at their ends by any of
   *     their tokens, where that changes no result before; otherwise all are equally long
   * @param body gets [S, t, C], S sequences of t tokens, and returns [S, t, E]
   * @return [B, T, E]
   */
  public Tensor mapTogether(Tensor x, boolean padded, UnaryOperator<Tensor> body) {
    check(x, 1);
    Tensor flat = x.flatten(0, 1);
    long[] back = new long[lengths.size() * width];
    List<Tensor> results = new ArrayList<>();
    int done = 0;
    for (List<Span> group : groups(padded)) {
      int longest = group.get(0).length;
      long[] taken = new long[group.size() * longest];
      for (int i = 0; i < group.size(); i++) {
        Span span = group.get(i);
        for (int t = 0; t < longest; t++) {
          taken[i * longest + t] = (long) span.start + Math.min(t, span.length - 1);
          if (t < span.length) {
            back[span.start + t] = done + (long) i * longest + t;
          }
        }
      }
      done += taken.length;
      Tensor batch = flat.indexSelect(0, Tensor.of(taken)).unflatten(0, group.size(), longest);
      results.add(body.apply(batch).flatten(0, 1));
    }
    Tensor all =
        results.size() == 1 ? results.get(0) : Tensor.cat(0, results.toArray(Tensor[]::new));
    return all.indexSelect(0, Tensor.of(back)).unflatten(0, lengths.size(), width);
  }

  /** A sequence by the place of its first token among those of all rows. */
  private record Span(int start, int length) {}

  /** Sequences that are computed together, the longest of each group first. */
  private List<List<Span>> groups(boolean padded) {
    List<Span> spans = new ArrayList<>();
    for (int row = 0; row < lengths.size(); row++) {
      int start = row * width;
      for (int length : lengths.get(row)) {
        spans.add(new Span(start, length));
        start += length;
      }
    }
    spans.sort(Comparator.comparingInt(span -> -span.length));
    List<List<Span>> groups = new ArrayList<>();
    for (Span span : spans) {
      List<Span> last = groups.isEmpty() ? List.of() : groups.get(groups.size() - 1);
      double shortest = last.isEmpty() ? 0 : (padded ? SHORTEST : 1) * last.get(0).length;
      if (last.isEmpty() || span.length < shortest) {
        groups.add(new ArrayList<>());
      }
      groups.get(groups.size() - 1).add(span);
    }
    return groups;
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
