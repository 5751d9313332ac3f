package dev.jformer.config;

/**
 * A configuration that cannot be used; the message names the field, its value and what was
 * expected.
 */
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Creates an error with a message. */
  public ConfigException(String message) {
    super(message);
  }

  /** Creates an error with a message and its cause. */
  public ConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
