package dev.jformer.run;

/**
 * Thrown when a run cannot be started, resumed or used as requested; the message says what to do.
 */
public final class RunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an error with a message for the user. */
  public RunException(String message) {
    super(message);
  }
}
