package dev.jformer.decode;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.DenoisingTranslator;
import java.util.List;

/** Translates texts with a trained {@link DenoisingTranslator} and its tokenizer. */
public final class DenoisingTextTranslator extends TextTranslator {
  private final DenoisingSearch search;
  private long passes;

  /**
   * Creates a translator.
   *
   * @param model not in training
   * @param batch number of texts that are translated together
   */
  public DenoisingTextTranslator(
      DenoisingTranslator model,
      Tokenizer tokenizer,
      DenoisingSearch.Settings settings,
      int batch) {
    super(tokenizer, model.end(), model.config().length(), batch);
    this.search = new DenoisingSearch(model, settings);
  }

  @Override
  List<List<Integer>> search(List<int[]> sources) {
    List<DenoisingSearch.Found> found = search.search(sources);
    passes += found.stream().mapToLong(DenoisingSearch.Found::passes).sum();
    return found.stream().map(DenoisingSearch.Found::ids).toList();
  }

  /** The passes of the decoder that the translations so far took, summed over the texts. */
  public long passes() {
    return passes;
  }
}
