package dev.jformer.run;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.BeamSearch;
import dev.jformer.decode.BeamTranslator;
import dev.jformer.decode.DenoisingSearch;
import dev.jformer.decode.DenoisingTextTranslator;
import dev.jformer.decode.TextTranslator;
import dev.jformer.hub.Models;
import dev.jformer.model.DenoisingTranslator;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A trained translator. Threads may share it: one translates at a time, the others wait.
 *
 * <pre>{@code
 * try (Translator translator = Translator.load(Path.of("runs/translate"))) {
 *   System.out.println(translator.translate("A man is riding a bicycle."));
 * }
 * }</pre>
 */
public final class Translator implements AutoCloseable {
  private static final int BEAM = 5;
  private static final int BATCH = 32;

  private final Model model;
  private final TextTranslator search;

  private Translator(Model model, TextTranslator search) {
    this.model = model;
    this.search = search;
  }

  /** Loads a translator with a beam of five; see {@link #load(Path, int)}. */
  public static Translator load(Path folder) throws IOException {
    return load(folder, BEAM);
  }

  /**
   * Loads a translator.
   *
   * @param folder with the model and its tokenizer
   * @param beam width of the beam search; 1 is fastest. A {@link DenoisingTranslator} has none
   * @throws RunException if the folder holds another kind of model
   */
  public static Translator load(Path folder, int beam) throws IOException {
    Model loaded = Models.load(folder);
    try {
      loaded.train(false);
      Tokenizer tokenizer = Tokenizers.load(folder);
      if (loaded instanceof DenoisingTranslator denoising) {
        DenoisingSearch.Settings usual = new DenoisingSearch.Settings();
        return new Translator(
            loaded, new DenoisingTextTranslator(denoising, tokenizer, usual, BATCH));
      }
      EncoderDecoder model =
          ModelFamily.require(folder, loaded, EncoderDecoder.class, "a translator");
      BeamSearch.Settings settings = new BeamSearch.Settings(beam);
      return new Translator(loaded, new BeamTranslator(model, tokenizer, settings, BATCH));
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /** Translates a text; the translation of a blank text is blank. */
  public String translate(String text) {
    return translate(List.of(text)).get(0);
  }

  /** Translates texts, in their order. */
  public synchronized List<String> translate(List<String> texts) {
    return search.translate(texts, done -> {});
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
