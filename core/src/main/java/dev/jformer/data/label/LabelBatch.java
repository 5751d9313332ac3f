package dev.jformer.data.label;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Labelled sequences as a batch, padded at their ends.
 *
 * @param ids int64 [B, T]
 * @param paddingMask bool [B, T], false at padding; null if there is none
 * @param targets int64 [B, T], -1 where there is no label; [B, 1] if sequences have one label each
 * @param count number of labels
 */
public record LabelBatch(Tensor ids, Tensor paddingMask, Tensor targets, long count) {
  /**
   * Creates a batch.
   *
   * @param whole whether sequences have one label each
   */
  public static LabelBatch of(List<LabelledSequence> sequences, boolean whole) {
    int rows = sequences.size();
    int width = sequences.stream().mapToInt(s -> s.tokens().length).max().orElseThrow();
    int labels = whole ? 1 : width;
    long[] ids = new long[rows * width];
    boolean[] mask = new boolean[ids.length];
    long[] targets = new long[rows * labels];
    Arrays.fill(targets, LabelledSequence.NONE);
    boolean padded = false;
    long count = 0;
    for (int row = 0; row < rows; row++) {
      LabelledSequence sequence = sequences.get(row);
      int length = sequence.tokens().length;
      padded |= length < width;
      for (int i = 0; i < length; i++) {
        ids[row * width + i] = sequence.tokens()[i];
        mask[row * width + i] = true;
      }
      for (int i = 0; i < sequence.labels().length; i++) {
        targets[row * labels + i] = sequence.labels()[i];
        count += sequence.labels()[i] == LabelledSequence.NONE ? 0 : 1;
      }
    }
    return new LabelBatch(
        Tensor.of(ids, rows, width),
        padded ? Tensor.of(mask, rows, width) : null,
        Tensor.of(targets, rows, labels),
        count);
  }
}
