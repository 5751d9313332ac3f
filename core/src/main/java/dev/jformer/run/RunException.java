package dev.jformer.run;

/** A run that cannot be begun, resumed or used as it was asked; the message says what to do. */
public final class RunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for the user. */
  public RunException(String message) {
    super(message);
  }
}
