package dev.jformer.studies.catalogue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.Locale;

/**
 * A paper of the catalogue.
 *
 * @param slug its name on the command line
 * @param title the paper's title
 * @param arxiv its number there; empty for what is not there
 * @param stage where its technique enters a model's life
 * @param family techniques of the same kind
 * @param status whether jformer has it
 * @param technique what is known of its technique; without content while it is planned
 */
public record Paper(
    String slug,
    String title,
    String arxiv,
    Stage stage,
    String family,
    Status status,
    Technique technique) {
  /** The four stages of a model's life at which a technique can enter. */
  public enum Stage {
    /** The architecture: a part named in the model's configuration. */
    DESIGN,
    /** A change to the recipe of training. */
    TRAINING,
    /** A function from a trained model to another one. */
    POST_TRAINING,
    /** Another way to run the same weights. */
    INFERENCE;

    /** The stage in plain words. */
    public String words() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whether jformer has the technique. */
  public enum Status {
    /** Not yet. */
    PLANNED,
    /** Its parts are there, with tests and a study, whose results are not recorded yet. */
    MEASURING,
    /** Yes, with tests, a study and its results. */
    IMPLEMENTED
  }

  /** The address of the paper; empty if it has none. */
  public String link() {
    return arxiv.isEmpty() ? "" : "https://arxiv.org/abs/" + arxiv;
  }

  /** Names of the classes that implement it; empty while it is planned. */
  public List<String> classes() {
    return technique.classes();
  }

  /**
   * How a comparison uses it: JSON with a change of the recipe for each variant; empty where a name
   * does not say enough.
   */
  public String use() {
    return technique.use().isEmpty()
        ? ""
        : JsonNodeFactory.instance.objectNode().setAll(technique.use()).toString();
  }
}
