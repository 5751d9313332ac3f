package dev.jformer.run;

import dev.jformer.hub.Models;
import dev.jformer.model.Encoder;
import dev.jformer.model.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/**
 * A trained recogniser of named entities in texts. Threads may share it: one text is read at a
 * time, the others wait.
 *
 * <pre>{@code
 * try (EntityRecognizer recognizer = EntityRecognizer.load(Path.of("runs/tokens"))) {
 *   for (Entity entity : recognizer.entities("Ada Lovelace was born in London.")) {
 *     System.out.println(entity.type() + " " + entity.text());
 *   }
 * }
 * }</pre>
 */
public final class EntityRecognizer implements AutoCloseable {
  private final TokenClassificationJob.Use model;

  private EntityRecognizer(TokenClassificationJob.Use model) {
    this.model = model;
  }

  /**
   * Loads a recogniser.
   *
   * @param folder with the model, its tokenizer and the names of its labels: one that was trained
   *     here, or a Hugging Face model for token classification
   * @throws RunException if the folder holds another kind of model
   */
  public static EntityRecognizer load(Path folder) throws IOException {
    Model loaded = Models.load(folder);
    TokenClassificationJob job = new TokenClassificationJob();
    if (!job.uses(loaded.config())) {
      loaded.close();
      throw new RunException(
          folder + " holds " + loaded.config().noun() + ": expected a classifier of tokens");
    }
    return new EntityRecognizer(new TokenClassificationJob.Use(folder, (Encoder) loaded));
  }

  /**
   * Finds the entities in a text, which is split into words as {@link dev.jformer.data.text.Word}
   * does.
   */
  public List<Entity> entities(String text) {
    return entities(List.of(text)).get(0).entities();
  }

  /** Finds the entities in texts. */
  public synchronized List<TaggedText> entities(List<String> texts) {
    return model.entities(texts);
  }

  /**
   * Finds the tag of each word of sentences that are split into words already.
   *
   * @return a tag for each word of each sentence, one of {@link #labels}
   */
  public synchronized List<List<String>> tags(List<List<String>> sentences) {
    return model.tags(sentences);
  }

  /** The names of the labels, in the model's order. */
  public List<String> labels() {
    return model.labels();
  }

  /** Releases the model. */
  @Override
  public synchronized void close() {
    model.close();
  }
}
