package dev.jformer.data.text;

import dev.jformer.tensor.Tensor;
import java.util.List;

/**
 * A batch of texts of different lengths, padded to the longest.
 *
 * @param ids int64 [B, T]
 * @param paddingMask bool [B, T], false at padding; null if all texts are equally long
 */
public record TextBatch(Tensor ids, Tensor paddingMask) {
  /**
   * Pads texts to one length.
   *
   * @param texts token ids, at least one each
   * @param padding the id of padding
   */
  public static TextBatch of(List<int[]> texts, long padding) {
    int longest = texts.stream().mapToInt(text -> text.length).max().orElseThrow();
    long[] ids = new long[texts.size() * longest];
    boolean[] keep = new boolean[ids.length];
    boolean equal = true;
    for (int i = 0; i < texts.size(); i++) {
      int[] text = texts.get(i);
      for (int t = 0; t < longest; t++) {
        boolean there = t < text.length;
        ids[i * longest + t] = there ? text[t] : padding;
        keep[i * longest + t] = there;
        equal &= there;
      }
    }
    return new TextBatch(
        Tensor.of(ids, texts.size(), longest),
        equal ? null : Tensor.of(keep, texts.size(), longest));
  }
}
