package dev.jformer.train;

/** Thrown when the loss or the gradients of a training are not finite. */
public final class DivergenceException extends TrainingException {
  private static final long serialVersionUID = 1L;

  /** Creates an error with a message. */
  public DivergenceException(String message) {
    super(message);
  }
}
