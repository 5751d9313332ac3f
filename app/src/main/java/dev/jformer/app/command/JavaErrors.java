package dev.jformer.app.command;

import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.regex.Pattern;

/**
 * Describes errors of the Java virtual machine in a line: what the program lacks, and how to give
 * it more.
 */
final class JavaErrors {
  private static final int MEGABYTE = 1 << 20;

  /** How Java cites an error that kept a class from being initialised before. */
  private static final Pattern ORIGIN =
      Pattern.compile("^Exception [^ :]+: (.*) \\[in thread .*]$");

  private JavaErrors() {}

  /** Whether the cause of an error lies in the machine or the installation, not in the program. */
  static boolean isUsual(Throwable error) {
    return error instanceof VirtualMachineError
        || error instanceof LinkageError
        || error instanceof ServiceConfigurationError;
  }

  /** Describes an error in one line. */
  static String describe(Error error) {
    Throwable root = root(error);
    if (root instanceof OutOfMemoryError) {
      return String.format(
          Locale.ROOT,
          "out of memory (%s): Java may take %,d MB; give it more with"
              + " JFORMER_JAVA_OPTIONS=-Xmx4g, or take smaller batches or less data",
          message(root),
          Runtime.getRuntime().maxMemory() / MEGABYTE);
    }
    if (root instanceof StackOverflowError) {
      return "the input is nested too deeply for Java's stack: expected a flatter one";
    }
    if (root instanceof UnsatisfiedLinkError) {
      return "cannot load a native library: " + message(root);
    }
    if (error instanceof LinkageError || error instanceof ServiceConfigurationError) {
      String text = ORIGIN.matcher(message(root)).replaceAll("$1");
      return root instanceof LinkageError && text.equals(message(root))
          ? "cannot load a class of the program: " + root.getClass().getSimpleName() + ": " + text
          : text;
    }
    return error.getClass().getSimpleName() + ": " + message(error);
  }

  /** The innermost cause, or the outermost that is an exception, whose message says more. */
  private static Throwable root(Throwable error) {
    Throwable root = error;
    while (root instanceof Error && root.getCause() != null && root.getCause() != root) {
      root = root.getCause();
    }
    return root;
  }

  private static String message(Throwable error) {
    return error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
  }
}
