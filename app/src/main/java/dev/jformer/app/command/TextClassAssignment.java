package dev.jformer.app.command;

import dev.jformer.data.text.LabelledTexts;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.Encoder;
import dev.jformer.run.LabelledTextData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.tensor.Random;
import dev.jformer.train.Task;
import dev.jformer.train.TextClassification;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** An encoder that learns to classify texts, from nothing or from one that learned to fill in. */
final class TextClassAssignment implements TrainingJob {
  private final Path folder;
  private final LabelledTextData data;
  private final Classes classes;
  private final Encoder model;
  private final TextClassification task;

  /**
   * Reads the texts and makes the model.
   *
   * @param resumed whether the classes must be those that the folder's run was begun with
   */
  TextClassAssignment(Recipe recipe, Path folder, boolean resumed, Console console)
      throws IOException {
    this.folder = folder;
    this.data = (LabelledTextData) recipe.data();
    LabelledTexts texts = LabelledTexts.read(Path.of(data.source()), data.header());
    this.classes = new Classes(texts.classes());
    if (classes.classes().size() < 2) {
      throw new CommandException(
          data.source() + " has the label " + classes.classes() + " only: expected two or more");
    }
    if (resumed && Classes.exists(folder) && !Classes.load(folder).equals(classes)) {
      throw new CommandException(
          data.source()
              + " has other labels than the run in "
              + folder
              + " was begun with: put the old file back, or begin anew with --overwrite");
    }
    TextData plain =
        new TextData(data.source(), List.of(), data.tokenizer(), data.vocabulary(), 0.5);
    Tokenizer tokenizer;
    try (PretrainedStart origin = PretrainedStart.of(recipe)) {
      origin.tokenizer(folder);
      tokenizer = new Texts(plain, folder, console).tokenizer();
      classes.save(folder);
      Random.seed(recipe.training().seed());
      Encoder.Config config = origin.config(Encoder.Config.class);
      this.model =
          origin.begin(config.sized(tokenizer.vocabularySize(), classes.classes().size()).build());
    }
    try {
      this.task =
          new TextClassification(
              model,
              ClassifiedTexts.of(texts, classes, tokenizer, model.config().length(), data.source()),
              data.validation(),
              recipe.training().batch(),
              recipe.training().seed());
    } catch (RuntimeException | Error e) {
      model.close();
      throw e;
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
        "%s%ntexts: %s, %,d of %d classes to train on, %,d held out",
        model,
        data.source(),
        task.trainingTexts(),
        classes.classes().size(),
        task.heldOutTexts());
  }

  @Override
  public String describe(Metrics metrics) {
    return String.format(
        Locale.ROOT,
        "%.4f nats; %.2f %% of the texts held out are right",
        metrics.loss(),
        100 * metrics.get("accuracy"));
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
    return "jformer predict " + folder + " --text '…'";
  }

  @Override
  public void close() {
    model.close();
  }
}
