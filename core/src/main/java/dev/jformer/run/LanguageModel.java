package dev.jformer.run;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A trained language model with its tokenizer, which continues texts. Threads may share it: one
 * generates at a time, the others wait.
 *
 * <pre>{@code
 * try (LanguageModel model = LanguageModel.load(Path.of("runs/play"))) {
 *   model.generate("ROMEO:", Sampling.of(0.8).maxTokens(200)).forEach(System.out::print);
 * }
 * }</pre>
 */
public final class LanguageModel implements AutoCloseable {
  private final CausalLm model;
  private final Tokenizer tokenizer;

  private LanguageModel(CausalLm model, Tokenizer tokenizer) {
    this.model = model;
    this.tokenizer = tokenizer;
    model.train(false);
  }

  /**
   * Loads a language model: one of ours, or one of GPT-2 or Llama from Hugging Face.
   *
   * @param folder with the model and its {@code tokenizer.json}
   * @throws RunException if it holds another kind of model, or the tokenizer of another model
   */
  public static LanguageModel load(Path folder) throws IOException {
    Model loaded = Models.load(folder);
    try {
      CausalLm model = ModelFamily.require(folder, loaded, CausalLm.class, "a language model");
      Tokenizer tokenizer = Tokenizers.load(folder);
      if (tokenizer.vocabularySize() > model.config().vocab()) {
        throw new RunException(
            "the tokenizer in "
                + folder
                + " has "
                + tokenizer.vocabularySize()
                + " tokens, but the model's vocabulary "
                + model.config().vocab()
                + ": use the tokenizer that the model was made for");
      }
      return new LanguageModel(model, tokenizer);
    } catch (RuntimeException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * Continues a text. Nothing is computed before the pieces are asked for; {@code forEach} gives
   * each as soon as it is there.
   *
   * @param prompt at least a character
   * @param request how many tokens, and how they are chosen
   */
  public GeneratedText generate(String prompt, Generator.Request request) {
    return new GeneratedText(
        consumer -> {
          synchronized (this) {
            new Generator(model)
                .generate(
                    List.of(tokenizer.encode(prompt)),
                    ended(request),
                    tokenizer::decode,
                    (sequence, piece) -> consumer.accept(piece));
          }
        });
  }

  /** Continues several texts together; each is what it would be alone. */
  public synchronized List<String> generate(List<String> prompts, Generator.Request request) {
    List<int[]> ids = prompts.stream().map(tokenizer::encode).toList();
    return new Generator(model)
        .generate(ids, ended(request), tokenizer::decode, null).stream()
            .map(Generator.Continuation::text)
            .toList();
  }

  /** The same request, ended by the token that ends a text, too, if the tokenizer has one. */
  private Generator.Request ended(Generator.Request request) {
    if (!request.stopIds().isEmpty() || tokenizer.endOfText().isEmpty()) {
      return request;
    }
    return new Generator.Request(
        request.newTokens(),
        request.sampling(),
        Set.of(tokenizer.endOfText().getAsInt()),
        request.stopStrings(),
        request.cached());
  }

  /** The most tokens that the model can read, those of a prompt included. */
  public long longest() {
    return model.longest();
  }

  /** The model, for what is not said here. */
  public CausalLm model() {
    return model;
  }

  /** The tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Releases the model, once no thread generates any more. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
