package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Model;
import dev.jformer.model.vision.ImageModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A trained classifier of images. Threads may share it: one classifies at a time, the others wait.
 *
 * <pre>{@code
 * try (ImageClassifier classifier = ImageClassifier.load(Path.of("runs/images"))) {
 *   System.out.println(classifier.classify(Path.of("cat.jpg")).top(3));
 * }
 * }</pre>
 */
public final class ImageClassifier implements AutoCloseable {
  private final ImageClassificationJob.Use model;

  private ImageClassifier(ImageClassificationJob.Use model) {
    this.model = model;
  }

  /**
   * Loads a classifier.
   *
   * @param folder with the model and the names of its classes
   * @throws RunException if the folder holds another kind of model
   */
  public static ImageClassifier load(Path folder) throws IOException {
    Model loaded = Models.load(folder);
    ImageClassificationJob job = new ImageClassificationJob();
    if (!job.uses(loaded.config())) {
      loaded.close();
      throw new RunException(
          folder + " holds " + loaded.config().noun() + ": expected a classifier of images");
    }
    return new ImageClassifier(new ImageClassificationJob.Use(folder, (ImageModel) loaded));
  }

  /** Classifies an image file (JPEG, PNG, GIF or BMP). */
  public Classification classify(Path image) throws IOException {
    return classify(List.of(image)).get(0);
  }

  /** Classifies image files, in their order. */
  public synchronized List<Classification> classify(List<Path> images) throws IOException {
    return model.classify(List.of(), images);
  }

  /** The names of the classes, in the model's order. */
  public List<String> labels() {
    return model.labels();
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
