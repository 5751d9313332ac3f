package dev.jformer.decode;

import dev.jformer.config.Checks;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.EncoderDecoder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;

/** Translates texts with a trained {@link EncoderDecoder} and its tokenizer. */
public final class BeamTranslator {
  private final EncoderDecoder model;
  private final Tokenizer tokenizer;
  private final BeamSearch search;
  private final int batch;

  /**
   * Creates a translator.
   *
   * @param model not in training
   * @param batch number of texts that are translated together
   */
  public BeamTranslator(
      EncoderDecoder model, Tokenizer tokenizer, BeamSearch.Settings settings, int batch) {
    Checks.atLeast("batch", batch, 1);
    this.model = model;
    this.tokenizer = tokenizer;
    this.search = new BeamSearch(model, settings);
    this.batch = batch;
  }

  /**
   * Translates texts, in batches of similar length. A text that is longer than the model reads is
   * cut off; a blank text has an empty translation.
   *
   * @param progress called with the number of texts done so far
   */
  public List<String> translate(List<String> texts, IntConsumer progress) {
    int[][] sources =
        texts.stream()
            .map(
                text ->
                    TokenPair.ended(tokenizer.encode(text), model.end(), model.config().length()))
            .toArray(int[][]::new);
    List<Integer> order =
        IntStream.range(0, sources.length)
            .filter(i -> !texts.get(i).isBlank())
            .boxed()
            .sorted(Comparator.comparingInt(i -> sources[i].length))
            .toList();
    String[] translations = new String[sources.length];
    java.util.Arrays.fill(translations, "");
    for (int from = 0; from < order.size(); from += batch) {
      List<Integer> some = order.subList(from, Math.min(order.size(), from + batch));
      List<int[]> together = new ArrayList<>();
      some.forEach(i -> together.add(sources[i]));
      List<BeamSearch.Hypothesis> found = search.search(together);
      for (int i = 0; i < found.size(); i++) {
        int[] ids = found.get(i).ids().stream().mapToInt(id -> id).toArray();
        translations[some.get(i)] = tokenizer.decode(ids).strip();
      }
      progress.accept(from + some.size());
    }
    return List.of(translations);
  }

  /** Translates one text. */
  public String translate(String text) {
    return translate(List.of(text), done -> {}).get(0);
  }
}
