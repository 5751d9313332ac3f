package dev.jformer.data;

/**
 * Thrown when data cannot be used; the message names the file, what is wrong with it and what was
 * expected.
 */
public final class DataException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with this message. */
  public DataException(String message) {
    super(message);
  }

  /** An error with this message and its cause. */
  public DataException(String message, Throwable cause) {
    super(message, cause);
  }
}
