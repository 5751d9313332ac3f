package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.data.text.ParallelTexts;
import dev.jformer.data.text.TokenPair;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.Translator;
import dev.jformer.metrics.Bleu;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.train.Translation;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * How well a model translates: BLEU of what it makes of some texts, and the cross-entropy of their
 * references.
 *
 * @param folder the model's
 * @param source a file of texts
 * @param target a file of their translations
 * @param batch texts at a time
 */
record TranslationScore(
    Path folder,
    Path source,
    Path target,
    BeamSearch.Settings settings,
    int batch,
    boolean json,
    Console console) {
  /** The figures, in words or as JSON. */
  String of(EncoderDecoder model) {
    ParallelTexts texts = ParallelTexts.read(source, target);
    Tokenizer tokenizer = Tokenizers.load(folder);
    List<String> translations;
    try (Console.Bar bar = console.bar("translating", texts.size(), "texts")) {
      translations =
          new Translator(model, tokenizer, settings, batch)
              .translate(texts.source(), done -> bar.at(done, ""));
    }
    Bleu bleu = Bleu.of(translations, texts.target());
    double loss =
        Translation.evaluate(
            model, TokenPair.of(texts, tokenizer, model.end(), model.config().length()));
    if (json) {
      ObjectNode node = new JsonMapper().createObjectNode();
      node.put("texts", texts.size()).put("bleu", bleu.score()).put("loss", loss);
      node.put("beam", settings.beam()).put("lengthPenalty", settings.lengthPenalty());
      return node.put("signature", Bleu.SIGNATURE).put("details", bleu.toString()).toString();
    }
    return String.format(
        Locale.ROOT,
        "%,d texts: BLEU|%s = %s%nloss %.4f nats per token",
        texts.size(),
        Bleu.SIGNATURE,
        bleu,
        loss);
  }
}
