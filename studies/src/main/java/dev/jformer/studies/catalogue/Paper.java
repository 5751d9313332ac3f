package dev.jformer.studies.catalogue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.Locale;

/**
 * A paper of the catalogue.
 *
 * @param slug its name on the command line
 * @param title the paper's title
 * @param arxiv the paper's arXiv number; empty if it is not on arXiv
 * @param stage at which its technique is applied
 * @param family name of a group of similar techniques
 * @param status whether the technique is implemented
 * @param technique description of the technique; empty while it is planned
 */
public record Paper(
    String slug,
    String title,
    String arxiv,
    Stage stage,
    String family,
    Status status,
    Technique technique) {
  /** The stage at which a technique is applied. */
  public enum Stage {
    /** The architecture: a part named in the model's configuration. */
    DESIGN,
    /** A change to the recipe of training. */
    TRAINING,
    /** A function from a trained model to another one. */
    POST_TRAINING,
    /** A different way to run the same weights. */
    INFERENCE;

    /** The stage in plain words. */
    public String words() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  /** Whether the technique is implemented. */
  public enum Status {
    /** The technique is not implemented yet. */
    PLANNED,
    /**
     * The technique is implemented, with tests and a study; the study's results are not recorded
     * yet.
     */
    MEASURING,
    /** The technique is implemented, with tests, a study and its results. */
    IMPLEMENTED
  }

  /** The paper's URL; empty if it is not on arXiv. */
  public String link() {
    return arxiv.isEmpty() ? "" : "https://arxiv.org/abs/" + arxiv;
  }

  /** The names of the classes that implement the technique; empty while it is planned. */
  public List<String> classes() {
    return technique.classes();
  }

  /**
   * The changes of a recipe by which a comparison uses the technique, as JSON by variant; empty if
   * there are none.
   */
  public String use() {
    return technique.use().isEmpty()
        ? ""
        : JsonNodeFactory.instance.objectNode().setAll(technique.use()).toString();
  }
}
