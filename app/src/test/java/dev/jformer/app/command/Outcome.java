package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * How a command ended.
 *
 * @param code its exit status
 * @param out what it printed
 * @param err what it complained of, and its progress
 */
record Outcome(int code, String out, String err) {
  /** Runs a command that must end well. */
  static Outcome well(String... args) {
    Outcome outcome = of(args);
    assertEquals(0, outcome.code(), Arrays.toString(args) + ": " + outcome.err());
    return outcome;
  }

  /** Runs a command that must fail, and returns what it complained of. */
  static String refused(String... args) {
    Outcome outcome = of(args);
    assertFalse(outcome.code() == 0, Arrays.toString(args));
    return outcome.err();
  }

  /** Runs a command in this process. */
  static Outcome of(String... args) {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    ByteArrayOutputStream complained = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(complained, true, StandardCharsets.UTF_8));
    try {
      int code = Commands.run(args);
      return new Outcome(
          code,
          printed.toString(StandardCharsets.UTF_8),
          complained.toString(StandardCharsets.UTF_8));
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
  }
}
