package dev.jformer.data.algorithm;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;

/**
 * Examples as ids for a causal language model, each a row, filled up at the end.
 *
 * @param inputs int64 [B, T]: prompts and answers
 * @param asked int64 [M]: the places in the flattened inputs whose next symbols are learned
 * @param targets int64 [M]: those symbols
 */
public record ExampleBatch(Tensor inputs, Tensor asked, Tensor targets) {
  /**
   * Puts examples together.
   *
   * @param prompts whether the prompts are learned too, or the answers only
   */
  public static ExampleBatch of(List<Example> examples, Alphabet alphabet, boolean prompts) {
    int[][] rows = new int[examples.size()][];
    for (int i = 0; i < rows.length; i++) {
      Example example = examples.get(i);
      List<String> end = List.of(Problem.END);
      rows[i] = alphabet.ids(Symbols.join(example.prompt(), example.answer(), end));
    }
    int length = Arrays.stream(rows).mapToInt(row -> row.length).max().orElse(1) - 1;
    long[] inputs = new long[rows.length * length];
    Arrays.fill(inputs, alphabet.end());
    LongStream.Builder asked = LongStream.builder();
    LongStream.Builder targets = LongStream.builder();
    for (int i = 0; i < rows.length; i++) {
      int first = prompts ? 0 : examples.get(i).prompt().size() - 1;
      for (int j = 0; j + 1 < rows[i].length; j++) {
        inputs[i * length + j] = rows[i][j];
        if (j >= first) {
          asked.add((long) i * length + j);
          targets.add(rows[i][j + 1]);
        }
      }
    }
    return new ExampleBatch(
        Tensor.of(inputs).view(rows.length, length),
        Tensor.of(asked.build().toArray()),
        Tensor.of(targets.build().toArray()));
  }
}
