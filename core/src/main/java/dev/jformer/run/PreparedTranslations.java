package dev.jformer.run;

import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.decode.TextTranslator;
import dev.jformer.model.Model;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Texts with their translations, prepared for a model that learns to translate. */
abstract class PreparedTranslations implements PreparedData {
  final TranslationTexts texts;

  PreparedTranslations(TranslationTexts texts) {
    this.texts = texts;
  }

  /** Translates with a model that is in training. */
  abstract TextTranslator translator(Model model);

  /**
   * Pairs of texts as tokens.
   *
   * @param end the id that ends a text
   * @param length the most tokens of a text, the end included
   */
  final List<TokenPair> pairs(ParallelTexts some, int end, int length) {
    return TokenPair.of(some, texts.tokenizer(), end, length);
  }

  @Override
  public final String fingerprint() {
    return texts.fingerprint();
  }

  @Override
  public final DataSummary summary(Task task) {
    return texts.summary(task);
  }

  /** Translates a held-out text. */
  @Override
  public final String sample(Model model, String prompt) {
    boolean learning = model.isTraining();
    model.train(false);
    try {
      String text = prompt == null ? texts.heldOut().source().get(0) : prompt;
      return "  " + text + " → " + translator(model).translate(text);
    } finally {
      model.train(learning);
    }
  }

  @Override
  public final void saveCompanions(Path folder) throws IOException {
    texts.saveTokenizer(folder);
  }

  @Override
  public final void close() {
    texts.close();
  }
}
