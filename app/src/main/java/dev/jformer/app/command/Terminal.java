package dev.jformer.app.command;

import java.io.Console;
import java.lang.reflect.InvocationTargetException;

/** Whether a person sits at the other end. */
final class Terminal {
  private Terminal() {}

  /** Whether input and output are a terminal's. */
  @SuppressWarnings("SystemConsoleNull") // from Java 22 on there is a console in any case
  static boolean isInteractive() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (NoSuchMethodException e) {
      return true; // before Java 22 only terminals are consoles
    } catch (IllegalAccessException | InvocationTargetException e) {
      return false;
    }
  }
}
