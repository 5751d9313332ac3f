package dev.jformer.app.command;

import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.CausalLm;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.tensor.Random;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** A language model on text, whose tokens lie in the run's folder under {@code data/}. */
final class LanguageAssignment implements TrainingJob {
  private static final long EVALUATION_BATCHES = 200;

  private final Path folder;
  private final TextData data;
  private final TokenFile tokens;
  private final CausalLm model;
  private final Task task;
  private final TextSample sample;

  /**
   * Makes the text ready and draws the model.
   *
   * @param resumed whether the tokens are to be those that the folder holds
   * @param prompt what to sample from; null for nothing
   */
  LanguageAssignment(Recipe recipe, Path folder, boolean resumed, String prompt, Console console)
      throws IOException {
    this.folder = folder;
    this.data = (TextData) recipe.data();
    Texts texts = new Texts(data, folder, console);
    try (PretrainedStart origin = PretrainedStart.of(recipe)) {
      origin.tokenizer(folder);
      Tokenizer tokenizer = texts.tokenizer();
      this.tokens = resumed ? texts.tokensAsTheyAre(tokenizer) : texts.tokens(tokenizer);
      long seed = recipe.training().seed();
      CausalLm made = null;
      try {
        Random.seed(seed);
        CausalLm.Config config = origin.config(CausalLm.Config.class);
        made = origin.begin(config.withVocab(tokenizer.vocabularySize()).build());
        this.sample = prompt == null ? null : TextSample.of(made, tokenizer, prompt);
        int batch = recipe.training().batch();
        this.task = new LanguageModelling(made, tokens, batch, seed, EVALUATION_BATCHES);
      } catch (RuntimeException | Error e) {
        if (made != null) {
          made.close();
        }
        tokens.close();
        throw e;
      }
      this.model = made;
    }
  }

  @Override
  public CausalLm model() {
    return model;
  }

  @Override
  public Task task() {
    return task;
  }

  @Override
  public String description() {
    TokenFile.Header header = tokens.header();
    return String.format(
        Locale.ROOT,
        "%s%ntext: %s, %,d tokens to train on, %,d held out",
        model,
        data.source(),
        header.trainTokens(),
        header.validationTokens());
  }

  @Override
  public String describe(Metrics metrics) {
    return String.format(
        Locale.ROOT,
        "%.4f nats per token, %.4f per byte",
        metrics.loss(),
        metrics.get("lossPerByte"));
  }

  @Override
  public void save() throws IOException {
    Models.save(model, folder);
  }

  @Override
  public String sample() {
    return sample == null ? null : sample.draw();
  }

  @Override
  public String finish() {
    return "jformer generate " + folder + " --prompt '…'";
  }

  @Override
  public void close() {
    model.close();
    tokens.close();
  }
}
