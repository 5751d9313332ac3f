package dev.jformer.data.jinja;

/** Thrown inside this package when a template is wrong or asks for what is not allowed. */
final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with this message. */
  JinjaException(String message) {
    super(message);
  }
}
