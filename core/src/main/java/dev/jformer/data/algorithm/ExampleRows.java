package dev.jformer.data.algorithm;

import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.SampleRows;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * How examples become rows that a causal language model is trained on. Where each has a row of its
 * own, a model can learn where in the row each digit stands; in rows that are filled with examples,
 * as in <a href="https://arxiv.org/abs/2307.03381">Teaching Arithmetic to Small Transformers</a>,
 * it cannot.
 *
 * @param prompts whether prompts are learned too, or answers only
 * @param packed whether rows are filled with examples, one behind the other, or each has its own
 */
public record ExampleRows(boolean prompts, boolean packed) {
  /** A row for each example, of which the answer is learned. */
  public static final ExampleRows ANSWERS = new ExampleRows(false, false);

  /**
   * Arranges the examples of a batch. Filled rows begin at any symbol of an example: the first is
   * cut at a place that the batch's number decides, so that all of them are learned, but for the
   * symbols that rows begin with.
   *
   * @param batch number of the batch
   * @param length most symbols of a filled row that are read
   */
  public SampleRows of(Alphabet alphabet, List<Example> examples, long batch, int length) {
    List<EncodedSample> samples =
        examples.stream().map(example -> alphabet.encode(example, prompts)).toList();
    return SampleRows.of(packed ? fill(samples, batch, length) : samples, alphabet.end());
  }

  private static List<EncodedSample> fill(List<EncodedSample> samples, long batch, int length) {
    EncodedSample text = EncodedSample.join(samples);
    int symbols = text.ids().length;
    List<EncodedSample> rows = new ArrayList<>();
    int end = 2 + new SplittableRandom(batch).nextInt(length);
    for (int begin = 0; symbols - begin > 1; end += length + 1) {
      int to = Math.min(end, symbols);
      rows.add(text.part(begin, to));
      begin = to;
    }
    return rows;
  }
}
