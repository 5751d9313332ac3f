package dev.jformer.data.text;

import dev.jformer.nn.Packing;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * Samples as the rows of a batch, several in each, padded at the end of the row. No sample sees
 * another if a model keeps to the {@code packing}.
 *
 * @param ids int64 [B, T], without the last token of each sample
 * @param packing where the samples of each row begin and end
 * @param positions int64 [M], the places in the flattened ids after which a token is learned
 * @param targets int64 [M], these tokens
 */
public record PackedRows(Tensor ids, Packing packing, Tensor positions, Tensor targets) {
  /**
   * Puts samples side by side.
   *
   * @param rows the samples of each row, of at least two tokens each
   * @param padding the id of padding
   */
  public static PackedRows of(List<List<EncodedSample>> rows, int padding) {
    int width = rows.stream().mapToInt(PackedRows::width).max().orElseThrow();
    long[] ids = new long[rows.size() * width];
    java.util.Arrays.fill(ids, padding);
    List<List<Integer>> lengths = new ArrayList<>();
    List<Long> positions = new ArrayList<>();
    List<Long> targets = new ArrayList<>();
    for (int row = 0; row < rows.size(); row++) {
      int at = row * width;
      List<Integer> own = new ArrayList<>();
      for (EncodedSample sample : rows.get(row)) {
        int read = sample.ids().length - 1;
        own.add(read);
        for (int t = 0; t < read; t++, at++) {
          ids[at] = sample.ids()[t];
          if (sample.learned()[t + 1]) {
            positions.add((long) at);
            targets.add((long) sample.ids()[t + 1]);
          }
        }
      }
      int rest = (row + 1) * width - at;
      if (rest > 0) {
        own.add(rest);
      }
      lengths.add(own);
    }
    return new PackedRows(
        Tensor.of(ids, rows.size(), width),
        new Packing(lengths),
        Tensor.of(positions.stream().mapToLong(i -> i).toArray()),
        Tensor.of(targets.stream().mapToLong(i -> i).toArray()));
  }

  /** The number of tokens that samples in one row take. */
  static int width(List<EncodedSample> row) {
    return row.stream().mapToInt(sample -> sample.ids().length - 1).sum();
  }

  /** Which tokens have a target after them: bool [B, T]. */
  public Tensor counted() {
    return Tensor.zeros(ids.elements())
        .scatter(0, positions, 1)
        .gt(0)
        .reshape(ids.size(0), ids.size(1));
  }
}
