package dev.jformer.studies.trial;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.text.Corpus;
import dev.jformer.data.text.TokenFile;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.Models;
import dev.jformer.io.FileTree;
import dev.jformer.model.CausalLm;
import dev.jformer.model.EncoderDecoder;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.run.ImageData;
import dev.jformer.run.Recipe;
import dev.jformer.run.TranslationData;
import dev.jformer.studies.DataSets;
import dev.jformer.studies.ReferenceModels;
import dev.jformer.studies.Scale;
import dev.jformer.studies.Trial;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.LanguageModelling;
import dev.jformer.train.Listener;
import dev.jformer.train.Task;
import dev.jformer.train.Trainer;
import dev.jformer.train.Translation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * Trains the {@link ReferenceModels} with their recipes. Like {@code jformer train}, it saves the
 * model of the best evaluation.
 */
public final class ReferenceTraining {
  private static final int EVALUATION_BATCHES = 200;
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
    ByteTokenizer tokenizer = new ByteTokenizer();
    tokenizer.save(folder);
    Path tokens = folder.resolve("tokens");
    try (TokenFile text =
            TokenFile.prepare(tokens, Corpus.open(source, List.of()), tokenizer, 0.1, bytes -> {});
        CausalLm model = drawn(CausalLm.class, recipe.model())) {
      int batch = recipe.training().batch();
      long seed = recipe.training().seed();
      train(model, new LanguageModelling(model, text, batch, seed, EVALUATION_BATCHES));
    }
    FileTree.delete(tokens);
  }

  private Path madeUpText() throws IOException {
    Path file = folder.resolve("made-up.txt");
    Files.writeString(file, "To be, or not to be, that is the question. ".repeat(200));
    return file;
  }

  private void images(Scale scale) {
    ImageData data = (ImageData) recipe.data();
    try (Pictures pictures = new Pictures(scale);
        ImageFile file = pictures.training()) {
      ImageSampler sampler =
          new ImageSampler(
              file,
              data.validation(),
              data.augmentation(),
              recipe.training().batch(),
              recipe.training().seed());
      ImageModel.Config config = (ImageModel.Config) recipe.model();
      int classes = file.header().classes().size();
      try (ImageModel model = drawn(ImageModel.class, config.withClasses(classes))) {
        try (Scope scope = Scope.open()) {
          Tensor[] channels = sampler.channels();
          model.standardise(channels[0], channels[1]);
        }
        train(model, new ImageClassification(model, sampler, data.smoothing()));
      }
    }
  }

  private void translation(Scale scale) throws IOException {
    TranslationData data = (TranslationData) recipe.data();
    // All pairs, long ones too, unless they are made up.
    Scale whole = scale == Scale.SMOKE ? scale : Scale.PAPER;
    Multi30k texts = Multi30k.of(whole, data.vocabulary(), Integer.MAX_VALUE);
    texts.tokenizer().save(folder);
    EncoderDecoder.Config config = texts.fit((EncoderDecoder.Config) recipe.model());
    try (EncoderDecoder model = drawn(EncoderDecoder.class, config)) {
      train(
          model,
          new Translation(
              model,
              texts.tokens(texts.training(), model),
              texts.tokens(texts.validation(), model),
              data.tokens(),
              recipe.training().batch(),
              data.smoothing(),
              recipe.training().seed()));
    }
  }

  private void untrained() throws IOException {
    new ByteTokenizer().save(folder);
    try (Model model = drawn(Model.class, recipe.model())) {
      Models.save(model, folder);
    }
  }

  private <M extends Model> M drawn(Class<M> kind, Model.Config config) {
    Random.seed(recipe.training().seed());
    return kind.cast(config.build());
  }

  private void train(Model model, Task task) {
    Path checkpoints = folder.resolve(CHECKPOINTS);
    try (Scope scope = Scope.open();
        Trainer trainer =
            new Trainer(model, recipe.objective().of(task), recipe.training(), checkpoints)) {
      trainer.addListener(
          new Listener() {
            @Override
            public void step(Step step) {
              progress.at(
                  (double) step.step() / recipe.training().steps(),
                  String.format(Locale.ROOT, "loss %.3f", step.loss()));
            }

            @Override
            public void evaluation(Evaluation evaluation) {
              if (evaluation.isBest()) {
                save(model);
              }
            }
          });
      if (Trainer.canResume(checkpoints)) {
        trainer.resume();
      }
      trainer.run();
    }
  }

  private void save(Model model) {
    try {
      Models.save(model, folder);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot save the model in " + folder, e);
    }
  }
}
