package dev.jformer.app.command;

import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import dev.jformer.tensor.TensorException;
import dev.jformer.train.TrainingException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;

/** Tells the user what went wrong, in one line where the cause is known. */
final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What a command throws when it cannot do what was asked; the message is all the user sees. */
  CommandException(String message) {
    super(message);
  }

  static int report(Exception e, boolean debug) {
    if (debug) {
      e.printStackTrace();
    }
    System.err.println("jformer: " + describe(e) + (isExpected(e) || debug ? "" : HINT));
    return 1;
  }

  private static final String HINT = " (unexpected: --debug shows where it came from)";

  private static boolean isExpected(Throwable e) {
    return e instanceof CommandException
        || e instanceof ConfigException
        || e instanceof DataException
        || e instanceof FormatException
        || e instanceof TrainingException
        || e instanceof TensorException
        || e instanceof IllegalArgumentException
        || e instanceof UnsupportedOperationException
        || e instanceof IOException
        || e instanceof UncheckedIOException;
  }

  private static String describe(Throwable e) {
    if (e instanceof NoSuchFileException missing) {
      return "no such file: " + missing.getFile();
    }
    if (e instanceof AccessDeniedException denied) {
      return "no permission for " + denied.getFile();
    }
    if (e instanceof FileAlreadyExistsException exists) {
      return "already there: " + exists.getFile();
    }
    if (e instanceof UncheckedIOException wrapped) {
      return wrapped.getMessage() + ": " + wrapped.getCause().getMessage();
    }
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    return isExpected(e)
        ? message.replace('\n', ' ')
        : e.getClass().getSimpleName() + ": " + message;
  }
}
