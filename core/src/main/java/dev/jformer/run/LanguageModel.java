package dev.jformer.run;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.decode.Generator;
import dev.jformer.hub.Models;
import dev.jformer.hub.StopTokens;
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
  private final Set<Integer> ends;

  private LanguageModel(CausalLm model, Tokenizer tokenizer, Set<Integer> ends) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.ends = ends;
    model.train(false);
  }

  /**
   * Loads a language model: one that this library saved, or GPT-2 or Llama from Hugging Face or in
   * a GGUF file.
   *
   * @param folder with the model and its {@code tokenizer.json}, or a GGUF file
   * @throws RunException if the folder holds another kind of model, or the tokenizer of another
   *     model
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
                + ": use the model's own tokenizer, or add the missing rows to the model (in"
                + " Python, model.resize_token_embeddings("
                + tokenizer.vocabularySize()
                + "))");
      }
      return new LanguageModel(model, tokenizer, StopTokens.of(folder, tokenizer));
    } catch (RuntimeException | IOException | Error e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * Continues a text, up to one of the tokens that end texts of this model unless the request names
   * others. Generation starts when the result is read; {@code forEach} passes on each piece as soon
   * as it is generated.
   *
   * @param prompt at least a character
   * @param request the number of tokens and the sampling
   */
  public GeneratedText generate(String prompt, Generator.Request request) {
    return new GeneratedText(
        consumer -> {
          synchronized (this) {
            new Generator(model)
                .generate(
                    List.of(tokenizer.encodePrompt(prompt)),
                    ended(request),
                    tokenizer::decode,
                    (sequence, piece) -> consumer.accept(piece));
          }
        });
  }

  /** Continues several texts in one batch; each result is the same as alone. */
  public synchronized List<String> generate(List<String> prompts, Generator.Request request) {
    List<int[]> ids = prompts.stream().map(tokenizer::encodePrompt).toList();
    return new Generator(model)
        .generate(ids, ended(request), tokenizer::decode, null).stream()
            .map(Generator.Continuation::text)
            .toList();
  }

  /** Lets the model's own stop tokens end a request that names none. */
  private Generator.Request ended(Generator.Request request) {
    if (!request.stopIds().isEmpty() || ends.isEmpty()) {
      return request;
    }
    return new Generator.Request(
        request.newTokens(), request.sampling(), ends, request.stopStrings(), request.cached());
  }

  /** The most tokens of a sequence, those of the prompt included. */
  public long longest() {
    return model.longest();
  }

  /** The model, for uses that this class does not cover. */
  public CausalLm model() {
    return model;
  }

  /** The tokenizer. */
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  /** Releases the model after any generation in progress. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
