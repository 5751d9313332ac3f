package dev.jformer.data.algorithm;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Labelled sequences as a batch, padded at their ends.
 *
 * @param ids int64 [B, T]
 * @param paddingMask bool [B, T], false at padding; null if there is none
 * @param targets int64 [B, T], -1 where there is no label
 * @param count number of labels
 */
public record LabelBatch(Tensor ids, Tensor paddingMask, Tensor targets, long count) {
  /** Creates a batch of examples of a problem. */
  public static LabelBatch of(Labelling problem, List<Example> examples) {
    List<String> tokens = problem.tokens();
    List<String> labels = problem.labels();
    int width = examples.stream().mapToInt(e -> e.prompt().size()).max().orElseThrow();
    long[] ids = new long[examples.size() * width];
    long[] targets = new long[ids.length];
    boolean[] mask = new boolean[ids.length];
    Arrays.fill(targets, -1);
    boolean padded = false;
    long count = 0;
    for (int row = 0; row < examples.size(); row++) {
      Example example = examples.get(row);
      padded |= example.prompt().size() < width;
      for (int i = 0; i < example.prompt().size(); i++) {
        int place = row * width + i;
        ids[place] = tokens.indexOf(example.prompt().get(i));
        mask[place] = true;
        if (!example.answer().get(i).equals(Labelling.NONE)) {
          targets[place] = labels.indexOf(example.answer().get(i));
          count++;
        }
      }
    }
    return new LabelBatch(
        Tensor.of(ids, examples.size(), width),
        padded ? Tensor.of(mask, examples.size(), width) : null,
        Tensor.of(targets, examples.size(), width),
        count);
  }

  /** The codes of an example's tokens. */
  public static int[] codes(Labelling problem, Example example) {
    List<String> tokens = problem.tokens();
    return example.prompt().stream().mapToInt(tokens::indexOf).toArray();
  }
}
