package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.model.Model;
import dev.jformer.run.ImageClassificationJob;
import dev.jformer.run.LanguageModellingJob;
import dev.jformer.run.PreparedData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TextData;
import dev.jformer.run.Training;
import dev.jformer.run.TranslationData;
import dev.jformer.run.TranslationJob;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.ReferenceModels;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Random;
import dev.jformer.train.Listener;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Trains the {@link ReferenceModels} with their recipes. Like {@code jformer train}, it saves the
 * model of the best evaluation.
 */
public final class ReferenceTraining {
  private static final String CHECKPOINTS = "checkpoints";

  private final Recipe recipe;
  private final Path folder;
  private final Trial.Progress progress;

  private ReferenceTraining(Recipe recipe, Path folder, Trial.Progress progress) {
    this.recipe = recipe;
    this.folder = folder;
    this.progress = progress;
  }

  /**
   * Trains a model, or resumes an interrupted training.
   *
   * @param folder for the model and its tokenizer
   * @throws IOException if the folder cannot be written
   */
  public static void of(
      ReferenceModels.Name name, Scale scale, Recipe recipe, Path folder, Trial.Progress progress)
      throws IOException {
    ReferenceTraining training = new ReferenceTraining(recipe, folder, progress);
    switch (name) {
      case SHAKESPEARE -> training.language(scale);
      case VIT -> training.images(scale);
      case TRANSLATOR -> training.translation(scale);
      case MINILM -> training.untrained();
    }
    FileTree.delete(folder.resolve(CHECKPOINTS));
  }

  private void language(Scale scale) throws IOException {
    Path source =
        scale == Scale.SMOKE ? madeUpText() : DataSets.require("tinyshakespeare/input.txt");
    Path tokens = folder.resolve("tokens");
    double heldOut = ((TextData) recipe.data()).validation();
    Corpus corpus = Corpus.open(source, List.of());
    try (TokenFile text =
        TokenFile.prepare(tokens, corpus, new ByteTokenizer(), heldOut, bytes -> {})) {
      train(LanguageModellingJob.of(text));
    }
    FileTree.delete(tokens);
  }

  private Path madeUpText() throws IOException {
    Path file = folder.resolve("made-up.txt");
    Files.writeString(file, "To be, or not to be, that is the question. ".repeat(200));
    return file;
  }

  private void images(Scale scale) {
    try (Pictures pictures = new Pictures(scale);
        ImageFile file = pictures.training()) {
      train(ImageClassificationJob.of(file));
    }
  }

  private void translation(Scale scale) {
    // All pairs, long ones too, unless they are made up.
    Scale whole = scale == Scale.SMOKE ? scale : Scale.PAPER;
    int vocabulary = ((TranslationData) recipe.data()).vocabulary();
    Multi30k texts = Multi30k.of(whole, vocabulary, Integer.MAX_VALUE);
    train(TranslationJob.of(texts.training(), texts.validation(), texts.tokenizer()));
  }

  private void untrained() throws IOException {
    new ByteTokenizer().save(folder);
    Random.seed(recipe.training().seed());
    try (Model model = recipe.model().build()) {
      Models.save(model, folder);
    }
  }

  private void train(PreparedData data) {
    TrialTraining.converged(
        TrialTraining.outcome(
            Training.of(recipe, data).withCheckpoints(folder.resolve(CHECKPOINTS)),
            Model.class,
            progress,
            model -> saver(model, data)));
  }

  private Listener saver(Model model, PreparedData data) {
    return new Listener() {
      @Override
      public void evaluation(Evaluation evaluation) {
        if (!evaluation.isBest()) {
          return;
        }
        try {
          data.save(model, folder);
        } catch (IOException e) {
          throw new UncheckedIOException("cannot save the model in " + folder, e);
        }
      }
    };
  }
}
