package dev.jformer.config;

/**
 * A configuration that cannot be used; the message names the field, its value and what was
 * expected.
 */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** An error with this message. */
  public ConfigException(String message) {
    super(message);
  }

  /** An error with this message and what led to it. */
  public ConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
