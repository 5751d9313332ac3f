package dev.jformer.io;

import java.nio.file.Path;

/**
 * Thrown when a file's content breaks its format or lacks a requested part. The message names the
 * file, the place in it, the value found and what was expected, in one line.
 */
public final class FormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int LONGEST_QUOTE = 100;

  /** An error with this message. */
  public FormatException(String message) {
    super(message);
  }

  /** An error with this message and its cause. */
  public FormatException(String message, Throwable cause) {
    super(message, cause);
  }

  /** The same error with the file's name in front of the message. */
  FormatException in(Path file) {
    return new FormatException(file + ": " + getMessage(), this);
  }

  /** Quotes text from a file for a message: on one line and not too long. */
  public static String quote(String text) {
    return "'" + oneLine(text) + "'";
  }

  /** Text with control characters shown as {@code ?} and a long end cut off. */
  public static String oneLine(String text) {
    String printable = text.replaceAll("\\p{Cntrl}|\\p{Cs}|[\\u2028\\u2029]", "?");
    return printable.length() <= LONGEST_QUOTE
        ? printable
        : printable.substring(0, LONGEST_QUOTE) + "…";
  }
}
