package dev.jformer.app.command;

import dev.jformer.data.image.ImageFile;
import dev.jformer.data.image.ImageSampler;
import dev.jformer.data.image.ImageSource;
import dev.jformer.hub.Models;
import dev.jformer.metrics.Metrics;
import dev.jformer.model.vision.ImageClassifier;
import dev.jformer.run.ImageData;
import dev.jformer.run.Recipe;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Tensor;
import dev.jformer.train.ImageClassification;
import dev.jformer.train.Task;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** An image classifier, whose images lie in the run's folder under {@code data/}. */
final class ImageAssignment implements TrainingJob {
  private final Path folder;
  private final ImageData data;
  private final ImageFile file;
  private final ImageSampler sampler;
  private final ImageClassifier model;
  private final ImageClassification task;

  /**
   * Reads the images and draws the model.
   *
   * @param resumed whether the classes must be those that the folder's run was begun with
   */
  ImageAssignment(Recipe recipe, Path folder, boolean resumed, Console console) throws IOException {
    this.folder = folder;
    this.data = (ImageData) recipe.data();
    try (PretrainedStart origin = PretrainedStart.of(recipe)) {
      ImageClassifier.Config wanted = origin.config(ImageClassifier.Config.class);
      this.file = read(Path.of(data.source()), folder.resolve("data"), wanted.size(), console);
      ImageClassifier made = null;
      try {
        Classes classes = new Classes(file.header().classes());
        if (classes.classes().size() < 2) {
          throw new CommandException(
              data.source()
                  + " has the class "
                  + classes.classes()
                  + " only: expected two or more");
        }
        if (resumed && Classes.exists(folder) && !Classes.load(folder).equals(classes)) {
          throw new CommandException(
              data.source()
                  + " has other classes than the run in "
                  + folder
                  + " was begun with: put the old images back, or begin anew with --overwrite");
        }
        classes.save(folder);
        long seed = recipe.training().seed();
        int batch = recipe.training().batch();
        this.sampler = new ImageSampler(file, data.validation(), data.augmentation(), batch, seed);
        Random.seed(seed);
        made = wanted.withClasses(classes.classes().size()).build();
        Tensor[] channels = sampler.channels();
        made.standardise(channels[0], channels[1]);
        origin.begin(made);
        this.task = new ImageClassification(made, sampler, data.smoothing());
      } catch (RuntimeException | Error e) {
        if (made != null) {
          made.close();
        }
        file.close();
        throw e;
      }
      this.model = made;
    }
  }

  /** The images of a source, as they lie in a folder or are put there now. */
  static ImageFile read(Path source, Path place, int size, Console console) throws IOException {
    ImageSource images = ImageSource.open(source);
    try (Console.Bar bar = console.bar("reading", images.count(), "images")) {
      return ImageFile.prepare(place, images, size, done -> bar.at(done, ""));
    }
  }

  @Override
  public ImageClassifier model() {
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
        "%s%nimages: %s, %,d of %d classes to train on, %,d held out",
        model,
        data.source(),
        sampler.trainingImages(),
        file.header().classes().size(),
        sampler.heldOutImages());
  }

  @Override
  public String describe(Metrics metrics) {
    return String.format(
        Locale.ROOT,
        "%.4f nats; %.2f %% of the images held out are right",
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
    return "jformer predict " + folder + " picture.jpg";
  }

  @Override
  public void close() {
    model.close();
    file.close();
  }
}
