package dev.jformer.program;

/** Thrown if a model cannot be written as a program. */
public final class DiscretisationException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** Creates an exception that says why, and what to do. */
  public DiscretisationException(String message) {
    super(message);
  }
}
