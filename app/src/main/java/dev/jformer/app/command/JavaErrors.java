package dev.jformer.app.command;

import java.util.List;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.function.Function;
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

  /** Errors whose cause lies in the machine or the installation, not in the program. */
  private static final List<Class<? extends Error>> USUAL =
      List.of(VirtualMachineError.class, LinkageError.class, ServiceConfigurationError.class);

  /** A kind of root causes, and the words for it. */
  private record Words(Class<? extends Throwable> kind, Function<Throwable, String> text) {}

  private static final List<Words> WORDS =
      List.of(
          new Words(OutOfMemoryError.class, JavaErrors::outOfMemory),
          new Words(
              StackOverflowError.class,
              root -> "the input is nested too deeply for Java's stack: expected a flatter one"),
          new Words(
              UnsatisfiedLinkError.class, root -> "cannot load a native library: " + message(root)),
          new Words(LinkageError.class, JavaErrors::brokenClass),
          new Words(Exception.class, JavaErrors::message),
          new Words(ServiceConfigurationError.class, JavaErrors::message));

  private JavaErrors() {}

  /** Whether the cause of an error lies in the machine or the installation, not in the program. */
  static boolean isUsual(Throwable error) {
    return USUAL.stream().anyMatch(kind -> kind.isInstance(error));
  }

  /** Describes an error in one line. */
  static String describe(Error error) {
    Throwable root = root(error);
    return WORDS.stream()
        .filter(words -> isUsual(error) && words.kind().isInstance(root))
        .findFirst()
        .map(words -> words.text().apply(root))
        .orElseGet(() -> error.getClass().getSimpleName() + ": " + message(error));
  }

  private static String outOfMemory(Throwable root) {
    return String.format(
        Locale.ROOT,
        "out of memory (%s): Java may take %,d MB; give it more with"
            + " JFORMER_JAVA_OPTIONS=-Xmx4g, or take smaller batches or less data",
        message(root),
        Runtime.getRuntime().maxMemory() / MEGABYTE);
  }

  private static String brokenClass(Throwable root) {
    String text = ORIGIN.matcher(message(root)).replaceAll("$1");
    return text.equals(message(root))
        ? "cannot load a class of the program: " + root.getClass().getSimpleName() + ": " + text
        : text;
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
