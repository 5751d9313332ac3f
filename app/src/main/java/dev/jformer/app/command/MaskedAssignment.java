package dev.jformer.app.command;

import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.tensor.Random;
import dev.jformer.train.MaskedModelling;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** An encoder that learns to fill in what is masked in a text. */
final class MaskedAssignment implements TrainingJob {
  private static final long EVALUATION_BATCHES = 100;

  private final Path folder;
  private final TextData data;
  private final TokenFile tokens;
  private final Encoder model;
  private final Task task;

  /**
   * Makes the text ready and draws the model.
   *
   * @param resumed whether the tokens are to be those that the folder holds
   */
  MaskedAssignment(Recipe recipe, Path folder, boolean resumed, Console console)
      throws IOException {
    this.folder = folder;
    this.data = (TextData) recipe.data();
    Texts texts = new Texts(data, folder, console);
    try (PretrainedStart origin = PretrainedStart.of(recipe)) {
      origin.tokenizer(folder);
      Tokenizer tokenizer = texts.tokenizer();
      this.tokens = resumed ? texts.tokensAsTheyAre(tokenizer) : texts.tokens(tokenizer);
      Encoder made = null;
      try {
        long seed = recipe.training().seed();
        Random.seed(seed);
        Encoder.Config config = origin.config(Encoder.Config.class);
        made = origin.begin(config.sized(tokenizer.vocabularySize(), 0).withMlmHead().build());
        int batch = recipe.training().batch();
        this.task = new MaskedModelling(made, tokens, batch, seed, EVALUATION_BATCHES);
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
  public Encoder model() {
    return model;
  }

  @Override
  public Task task() {
    return task;
  }

  @Override
  public String description() {
    return String.format(
        Locale.ROOT,
        "%s%ntext: %s, %,d tokens to train on, %,d held out",
        model,
        data.source(),
        tokens.header().trainTokens(),
        tokens.header().validationTokens());
  }

  @Override
  public String describe(Metrics metrics) {
    return String.format(Locale.ROOT, "%.4f nats per masked token", metrics.loss());
  }

  @Override
  public void save() throws IOException {
    Models.save(model, folder);
  }

  @Override
  public String sample() {
    return null;
  }

  @Override
  public String finish() {
    return "jformer train --task classify --from " + folder + " --data texts.tsv";
  }

  @Override
  public void close() {
    model.close();
    tokens.close();
  }
}
