package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Translates texts with a trained model and its tokenizer, whatever way the model searches. */
public abstract class TextTranslator {
  private final Tokenizer tokenizer;
  private final int end;
  private final int longest;
  private final int batch;

  /**
   * Creates a translator.
   *
   * @param end the id that ends a text
   * @param longest the most tokens that the model reads, the end included
   * @param batch number of texts that are translated together
   */
  TextTranslator(Tokenizer tokenizer, int end, int longest, int batch) {
    Checks.atLeast("batch", batch, 1);
    this.tokenizer = tokenizer;
    this.end = end;
    this.longest = longest;
    this.batch = batch;
  }

  /**
   * Translates texts of similar length.
   *
   * @param sources token ids of each, its end included
   * @return token ids of each translation, without the end
   */
  abstract List<List<Integer>> search(List<int[]> sources);

  /**
   * Translates texts, in batches of similar length. A text that is longer than the model reads is
   * cut off; a blank text has an empty translation.
   *
   * @param progress called with the number of texts done so far
   */
  public final List<String> translate(List<String> texts, IntConsumer progress) {
    int[][] sources =
        texts.stream()
            .map(text -> TokenPair.ended(tokenizer.encode(text), end, longest))
            .toArray(int[][]::new);
    List<Integer> order =
        IntStream.range(0, sources.length)
            .filter(i -> !texts.get(i).isBlank())
            .boxed()
            .sorted(Comparator.comparingInt(i -> sources[i].length))
            .toList();
    String[] translations = new String[sources.length];
    Arrays.fill(translations, "");
    for (int from = 0; from < order.size(); from += batch) {
      List<Integer> some = order.subList(from, Math.min(order.size(), from + batch));
      List<int[]> together = new ArrayList<>();
      some.forEach(i -> together.add(sources[i]));
      List<List<Integer>> found = search(together);
      for (int i = 0; i < found.size(); i++) {
        int[] ids = found.get(i).stream().mapToInt(id -> id).toArray();
        translations[some.get(i)] = tokenizer.decode(ids).strip();
      }
      progress.accept(from + some.size());
    }
    return List.of(translations);
  }

  /** Translates one text. */
  public final String translate(String text) {
    return translate(List.of(text), done -> {}).get(0);
  }
}
