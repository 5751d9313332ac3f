package dev.jformer.train;

/** Thrown when training cannot continue; the message gives the reason and a remedy. */
public class TrainingException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an error with a message. */
  public TrainingException(String message) {
    super(message);
  }

  /** Creates an error with a message and its cause. */
  public TrainingException(String message, Throwable cause) {
    super(message, cause);
  }
}
