package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.data.text.TextBatch;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Draws texts from an {@link EncoderDecoder}, token by token in proportion to its probabilities.
 * Draws come from the calling thread's random numbers.
 */
public final class OutputSampler {
  private final EncoderDecoder model;
  private final int longest;

  /**
   * Creates a sampler.
   *
   * @param model not in training
   * @param longest the most tokens of a text without its end; one that reaches it is cut off
   */
  public OutputSampler(EncoderDecoder model, int longest) {
    Checks.atLeast("longest", longest, 1);
    this.model = model;
    this.longest = longest;
  }

  /**
   * Draws texts for each source, all in one batch.
   *
   * @param sources ids, with the end as in training
   * @param count number of texts for each source
   * @return the texts of the first source, then those of the second, ...: with the end, unless cut
   *     off
   */
  public List<int[]> sample(List<int[]> sources, int count) {
    try (Mode mode = Autograd.inference();
        Scope scope = Scope.open()) {
      TextBatch batch = TextBatch.of(sources, model.end());
      int rows = sources.size() * count;
      List<int[]> texts = new ArrayList<>();
      for (int i = 0; i < rows; i++) {
        texts.add(new int[0]);
      }
      long[] last = new long[rows];
      Arrays.fill(last, model.end());
      try (EncoderDecoder.Decoding decoding =
          model.decode(batch.ids(), batch.paddingMask(), count, longest)) {
        boolean open = true;
        for (int t = 0; t < longest && open; t++) {
          try (Scope step = Scope.open()) {
            Tensor shares = decoding.next(Tensor.of(last)).to(DType.FLOAT32).softmax(-1);
            long[] drawn = shares.multinomial(1, false).flatten(0, 1).toLongs();
            open = extend(texts, drawn);
            last = drawn;
          }
        }
      }
      return texts;
    }
  }

  private boolean extend(List<int[]> texts, long[] drawn) {
    boolean open = false;
    for (int i = 0; i < drawn.length; i++) {
      int[] text = texts.get(i);
      if (text.length == 0 || text[text.length - 1] != model.end()) {
        int[] longer = Arrays.copyOf(text, text.length + 1);
        longer[text.length] = (int) drawn[i];
        texts.set(i, longer);
        open |= drawn[i] != model.end();
      }
    }
    return open;
  }
}
