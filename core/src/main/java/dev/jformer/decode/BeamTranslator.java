package dev.jformer.decode;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.model.EncoderDecoder;
import java.util.List;

/** Translates texts with a trained {@link EncoderDecoder} and its tokenizer, by beam search. */
public final class BeamTranslator extends TextTranslator {
  private final BeamSearch search;

  /**
   * Creates a translator.
   *
   * @param model not in training
   * @param batch number of texts that are translated together
   */
  public BeamTranslator(
      EncoderDecoder model, Tokenizer tokenizer, BeamSearch.Settings settings, int batch) {
    super(tokenizer, model.end(), model.config().length(), batch);
    this.search = new BeamSearch(model, settings);
  }

  @Override
  List<List<Integer>> search(List<int[]> sources) {
    return search.search(sources).stream().map(BeamSearch.Hypothesis::ids).toList();
  }
}
