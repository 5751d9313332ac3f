package dev.jformer.app.command;

import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.decode.LogitsException;
import dev.jformer.io.FormatException;
import dev.jformer.run.RunException;
import dev.jformer.tensor.TensorException;
import dev.jformer.train.TrainingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Map;

/** A command that cannot do what was asked, and how errors are reported. */
final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private static final String HINT = " (unexpected error: --debug prints its stack trace)";

  /** Errors whose message is meant for the user. */
  private static final List<Class<? extends Throwable>> EXPECTED =
      List.of(
          CommandException.class,
          ConfigException.class,
          DataException.class,
          FormatException.class,
          TrainingException.class,
          RunException.class,
          LogitsException.class,
          TensorException.class,
          IllegalArgumentException.class,
          UnsupportedOperationException.class,
          IOException.class,
          UncheckedIOException.class);

  /** Errors whose message is the path alone, and the words for them. */
  private static final Map<Class<?>, String> FILES =
      Map.of(
          NoSuchFileException.class, "no such file or folder: ",
          AccessDeniedException.class, "no permission for ",
          FileAlreadyExistsException.class, "there is already a file or folder: ");

  /** An error whose message is all that the user sees. */
  CommandException(String message) {
    super(message);
  }

  /** Prints an error in one line; the exit code of the program. */
  static int report(Throwable error, boolean debug) {
    if (debug) {
      error.printStackTrace();
    }
    String hint = isExpected(error) || JavaErrors.isUsual(error) || debug ? "" : HINT;
    System.err.println("jformer: " + describe(error) + hint);
    return 1;
  }

  private static boolean isExpected(Throwable error) {
    return EXPECTED.stream().anyMatch(type -> type.isInstance(error));
  }

  private static String describe(Throwable error) {
    if (error instanceof Error java) {
      return JavaErrors.describe(java).replaceAll("\\s*\\R\\s*", " ");
    }
    if (error instanceof FileSystemException file && FILES.containsKey(file.getClass())) {
      String words = FILES.get(file.getClass()) + file.getFile();
      return file.getReason() == null ? words : words + "; " + file.getReason();
    }
    String message = error.getMessage() == null ? error.toString() : error.getMessage();
    if (error instanceof UncheckedIOException) {
      message += ": " + describe(error.getCause());
    }
    return isExpected(error)
        ? message.replace('\n', ' ')
        : error.getClass().getSimpleName() + ": " + message;
  }
}
