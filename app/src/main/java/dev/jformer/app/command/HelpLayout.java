package dev.jformer.app.command;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * How the help of all commands looks: one line that says what the command does, a short synopsis,
 * the description, the options in the order of the source, and examples. All of it is as wide as
 * the terminal.
 */
final class HelpLayout {
  /** The least that picocli takes. */
  private static final int NARROWEST = 55;

  private static final int WIDEST = 120;
  static final int SECOND_COLUMN = 24;

  private HelpLayout() {}

  /**
   * Gives this layout to a command and those below it.
   *
   * @param groups headings of the list of commands, and the names below each; commands that have no
   *     group stand under a heading of their own
   */
  static void apply(CommandLine line, Map<String, List<String>> groups) {
    UsageMessageSpec usage = line.getCommandSpec().usageMessage();
    width(usage, System.getenv("COLUMNS"));
    Map<String, CommandLine.IHelpSectionRenderer> sections = new LinkedHashMap<>();
    sections.put("header", help -> wrapped(help, usage.header()));
    sections.put("synopsis", HelpLayout::synopsis);
    sections.put("description", help -> apart(wrapped(help, usage.description())));
    sections.put("arguments", help -> apart(arguments(help.commandSpec())));
    sections.put("commands", help -> commands(help.commandSpec(), groups));
    sections.put("footer", help -> apart(wrapped(help, usage.footer())));
    line.setHelpSectionMap(sections);
    line.setHelpSectionKeys(List.copyOf(sections.keySet()));
    line.getSubcommands().values().forEach(command -> apply(command, Map.of()));
  }

  /**
   * Sets how wide help is.
   *
   * @param columns what the environment says of the terminal; null to ask the terminal itself,
   *     which is taken to have 80 columns where there is none
   */
  static void width(UsageMessageSpec usage, String columns) {
    if (columns != null && columns.matches("[1-9][0-9]{0,5}")) {
      usage.width(Math.max(NARROWEST, Math.min(WIDEST, Integer.parseInt(columns))));
    } else {
      usage.autoWidth(true);
    }
  }

  private static String apart(String section) {
    return section.isEmpty() ? "" : "\n" + section;
  }

  private static String wrapped(Help help, String[] lines) {
    return Paragraphs.wrap(String.join("\n", lines), help.commandSpec().usageMessage().width());
  }

  /** What a command must be given; its other options are listed below it. */
  private static String synopsis(Help help) {
    CommandSpec spec = help.commandSpec();
    List<String> words = new ArrayList<>(List.of("Usage:", spec.qualifiedName()));
    for (PositionalParamSpec parameter : spec.positionalParameters()) {
      words.add(parameter.required() ? name(parameter) : "[" + name(parameter) + "]");
    }
    spec.options().stream().filter(OptionSpec::required).map(HelpLayout::name).forEach(words::add);
    words.add("[OPTIONS]");
    if (!spec.subcommands().isEmpty()) {
      words.add(spec.usageMessage().synopsisSubcommandLabel());
    }
    return String.join(" ", words) + "\n";
  }

  /** A row for each argument: how it is written, and what it is for. */
  private static String arguments(CommandSpec spec) {
    Map<String, String> rows = new LinkedHashMap<>();
    spec.positionalParameters().forEach(p -> rows.put(name(p), description(p)));
    spec.options().forEach(o -> rows.put(String.join(", ", o.names()) + value(o), description(o)));
    return rows(rows, spec.usageMessage().width());
  }

  private static String description(ArgSpec argument) {
    return String.join(" ", argument.description());
  }

  private static String commands(CommandSpec spec, Map<String, List<String>> groups) {
    Map<String, List<String>> headings = new LinkedHashMap<>(groups);
    headings.put("Commands:", new ArrayList<>(spec.subcommands().keySet()));
    groups.values().forEach(headings.get("Commands:")::removeAll);
    StringBuilder text = new StringBuilder();
    headings.forEach(
        (heading, names) -> {
          Map<String, String> rows = new LinkedHashMap<>();
          for (String name : names) {
            if (spec.subcommands().containsKey(name)) {
              UsageMessageSpec usage = spec.subcommands().get(name).getCommandSpec().usageMessage();
              rows.put(name, String.join(" ", usage.header()));
            }
          }
          if (!rows.isEmpty()) {
            text.append('\n').append(heading).append('\n');
            text.append(rows(rows, spec.usageMessage().width()));
          }
        });
    return text.toString();
  }

  /** Two columns; what is too wide for the first has a line of its own. */
  static String rows(Map<String, String> rows, int width) {
    String indent = " ".repeat(SECOND_COLUMN);
    StringBuilder text = new StringBuilder();
    rows.forEach(
        (left, right) -> {
          String first = "  " + left;
          String second = right.isEmpty() ? "\n" : Paragraphs.wrap(indent + right, width);
          boolean fits = first.length() + 2 <= SECOND_COLUMN && !right.isEmpty();
          text.append(first).append(fits ? second.substring(first.length()) : "\n" + second);
        });
    return text.toString();
  }

  /** How an argument is written, for example {@code --steps N} or {@code MODEL}. */
  static String name(ArgSpec argument) {
    return argument.isOption()
        ? ((OptionSpec) argument).longestName() + value(argument)
        : label(argument) + (argument.isMultiValue() ? "..." : "");
  }

  private static String value(ArgSpec option) {
    return option.arity().max() == 0 ? "" : " " + label(option);
  }

  private static String label(ArgSpec argument) {
    return argument.paramLabel().replace("<", "").replace(">", "");
  }

  /** All spellings of a command's options. */
  static List<String> optionNames(CommandSpec spec) {
    return spec.options().stream()
        .flatMap(option -> Arrays.stream(option.names()))
        .collect(Collectors.toList());
  }
}
