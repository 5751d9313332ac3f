package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.run.Recipe;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.ArgSpec;

/** The help of every command. */
class HelpLayoutTest {
  /** All commands, those below others too. */
  static Stream<CommandLine> commands() {
    List<CommandLine> all = new ArrayList<>();
    collect(Commands.line(), all);
    return all.stream();
  }

  private static void collect(CommandLine line, List<CommandLine> all) {
    all.add(line);
    line.getSubcommands().values().forEach(command -> collect(command, all));
  }

  private static String help(CommandLine line, int columns) {
    HelpLayout.width(line.getCommandSpec().usageMessage(), Integer.toString(columns));
    return line.getUsageMessage(CommandLine.Help.Ansi.OFF);
  }

  @ParameterizedTest
  @MethodSource("commands")
  void isAsWideAsTheTerminal(CommandLine line) {
    for (int columns : new int[] {80, 100}) {
      String command = "";
      for (String text : help(line, columns).lines().toList()) {
        boolean example = text.startsWith("  ") || command.endsWith("\\");
        command = example ? text : "";
        assertTrue(
            text.length() <= columns || (example && text.length() <= 90),
            columns + " columns, but: " + text);
        assertEquals(text.stripTrailing(), text);
      }
    }
    String narrow = help(line, 60);
    String wide = help(line, 120);
    assertEquals(narrow.replaceAll("\\s+", " "), wide.replaceAll("\\s+", " "));
    assertTrue(narrow.lines().count() >= wide.lines().count());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void keepsExamplesWhole(CommandLine line) {
    String source = String.join("\n", line.getCommandSpec().usageMessage().footer());
    List<String> shown = help(line, 60).lines().toList();
    boolean continued = false;
    for (String text : source.lines().toList()) {
      if (continued || text.matches(" {2}\\S.*")) {
        assertTrue(shown.contains(text), "printed as it is: " + text);
      }
      continued = text.endsWith("\\");
    }
  }

  @ParameterizedTest
  @MethodSource("commands")
  void explainsEveryArgument(CommandLine line) {
    List<ArgSpec> arguments = line.getCommandSpec().args();
    for (ArgSpec argument : arguments) {
      String description = String.join(" ", argument.description());
      assertTrue(description.endsWith("."), HelpLayout.name(argument) + ": " + description);
      boolean takesValue = argument.arity().max() > 0;
      assertFalse(takesValue && argument.paramLabel().contains("<"), HelpLayout.name(argument));
    }
  }

  @Test
  void listsEveryCommandWithOneLineUnderAHeading() {
    CommandLine program = Commands.line();
    String help = help(program, 80);
    assertFalse(help.contains("Commands:"), "commands without a group");
    program
        .getSubcommands()
        .forEach(
            (name, command) -> {
              String header = command.getCommandSpec().usageMessage().header()[0];
              assertTrue(
                  help.lines().anyMatch(l -> l.matches(" {2}" + name + " +\\Q" + header + "\\E")),
                  name + ": " + header);
            });
  }

  @ParameterizedTest
  @ValueSource(strings = {"100", "20", "100000"})
  void takesTheWidthFromTheEnvironment(String columns) {
    CommandLine program = Commands.line();
    HelpLayout.width(program.getCommandSpec().usageMessage(), columns);
    int width = program.getCommandSpec().usageMessage().width();
    assertEquals(Math.max(55, Math.min(120, Integer.parseInt(columns))), width);
  }

  @Test
  void wrapsParagraphsAndNotesButNoCommands() {
    String source =
        """
        one two three
        four five

          a command that is long \\
              and its second line
              a note that is long
        """;
    assertEquals(
        """
        one two
        three four
        five

          a command that is long \\
              and its second line
              a
              note
              that
              is
              long
        """,
        Paragraphs.wrap(source, 10));
  }

  @Test
  void namesTheRecipes() {
    String help = help(Commands.line().getSubcommands().get("train"), 120).replaceAll("\\s+", " ");
    assertTrue(help.contains(String.join(", ", Recipe.names())), help);
  }
}
