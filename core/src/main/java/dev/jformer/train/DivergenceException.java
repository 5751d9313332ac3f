package dev.jformer.train;

/** Training whose loss or gradients ceased to be finite numbers. */
public final class DivergenceException extends TrainingException {
  private static final long serialVersionUID = 1L;

  /** An error with this message. */
  public DivergenceException(String message) {
    super(message);
  }
}
