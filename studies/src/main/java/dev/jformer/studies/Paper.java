package dev.jformer.studies;

/**
 * A paper of the catalogue.
 *
 * @param slug its name on the command line
 * @param title the paper's title
 * @param seam where its technique enters a model's life
 * @param family techniques of the same kind
 */
public record Paper(String slug, String title, Seam seam, String family) {
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
}
