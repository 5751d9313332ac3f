package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A trained classifier of texts. Threads may share it: one classifies at a time, the others wait.
 *
 * <pre>{@code
 * try (TextClassifier classifier = TextClassifier.load(Path.of("runs/classify"))) {
 *   Prediction best = classifier.classify("what a film").best();
 *   System.out.println(best.label() + " " + best.probability());
 * }
 * }</pre>
 */
public final class TextClassifier implements AutoCloseable {
  private final TextClassificationJob.Use model;

  private TextClassifier(TextClassificationJob.Use model) {
    this.model = model;
  }

  /**
   * Loads a classifier.
   *
   * @param folder with the model, its tokenizer and the names of its classes
   * @throws RunException if the folder holds another kind of model
   */
  public static TextClassifier load(Path folder) throws IOException {
    Model loaded = Models.load(folder);
    TextClassificationJob job = new TextClassificationJob();
    if (!job.uses(loaded.config())) {
      loaded.close();
      throw new RunException(
          folder + " holds " + loaded.config().noun() + ": expected a classifier of texts");
    }
    return new TextClassifier(new TextClassificationJob.Use(folder, (Encoder) loaded));
  }

  /** Classifies a text. */
  public Classification classify(String text) {
    return classify(List.of(text)).get(0);
  }

  /**
   * Classifies texts, in their order. A text that is longer than the model's length is truncated.
   *
   * @throws RunException if a text is empty
   */
  public synchronized List<Classification> classify(List<String> texts) {
    return model.classify(texts);
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
