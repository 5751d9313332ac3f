package dev.jformer.studies;

import java.util.List;

/**
 * A paper of the catalogue.
 *
 * @param slug its name on the command line
 * @param title the paper's title
 * @param arxiv its number there; empty for what is not there
 * @param seam where its technique enters a model's life
 * @param family techniques of the same kind
 * @param status whether jformer has it
 * @param use how a comparison uses it: JSON with a change of the recipe for each variant; empty
 *     where a name does not say enough
 * @param classes names of the classes that implement it; empty while it is planned
 */
public record Paper(
    String slug,
    String title,
    String arxiv,
    Seam seam,
    String family,
    Status status,
    String use,
    List<String> classes) {
  /** The four places where a technique can enter. */
  public enum Seam {
    /** A part named in the model's configuration. */
    DESIGN,
    /** A change to the recipe of training. */
    TRAINING,
    /** A function from a trained model to another one. */
    SURGERY,
    /** Another way to run the same weights. */
    DECODING
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

  /** The study that measures its claims; null while it is planned. */
  public String study() {
    Study study = Studies.all().get(slug);
    return study == null ? null : study.getClass().getName();
  }
}
