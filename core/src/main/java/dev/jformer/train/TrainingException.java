package dev.jformer.train;

/** Training that cannot go on; the message says why and what can be done. */
public class TrainingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with this message. */
  public TrainingException(String message) {
    super(message);
  }

  /** An error with this message and what led to it. */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
