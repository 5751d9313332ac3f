package dev.jformer.tensor;

/**
 * A tensor operation that could not be carried out; the message names the operands' types and
 * shapes.
 */
public final class TensorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with no native cause. */
  public TensorException(String message) {
    super(message);
  }

  /** An error that the native library reported. */
  public TensorException(String message, Throwable cause) {
    super(message, cause);
  }
}
