package dev.jformer.app.command;

import dev.jformer.config.Nearest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Reports arguments that a command cannot be given, in one line: what is wrong, what was expected
 * or the nearest name, and where to find help.
 */
final class UsageErrors {
  private static final Map<Class<?>, String> EXPECTED =
      Map.of(
          int.class, "a whole number",
          Integer.class, "a whole number",
          long.class, "a whole number",
          Long.class, "a whole number",
          double.class, "a number",
          Double.class, "a number");

  /** What the command {@code help} says of a name. */
  private static final Pattern UNKNOWN_COMMAND = Pattern.compile("^Unknown subcommand '(.*)'");

  private UsageErrors() {}

  /** Prints the error; the exit code of the program. */
  static int report(ParameterException error, String[] args) {
    CommandLine line = error.getCommandLine();
    CommandSpec spec = line.getCommandSpec();
    line.getErr()
        .printf(
            Locale.ROOT,
            "jformer: %s (help: %s --help)%n",
            describe(error, spec, List.of(args)).replaceAll("\\s+", " "),
            spec.qualifiedName());
    return spec.exitCodeOnInvalidInput();
  }

  private static String describe(ParameterException error, CommandSpec spec, List<String> args) {
    if (error instanceof UnmatchedArgumentException unmatched) {
      return unknown(unmatched.getUnmatched().get(0), spec);
    }
    if (error instanceof MissingParameterException missing) {
      return missing(missing.getMissing(), spec, args);
    }
    if (error instanceof OverwrittenOptionException twice) {
      return HelpLayout.name(twice.getOverwritten()) + " is given twice: expected once";
    }
    Matcher command = UNKNOWN_COMMAND.matcher(error.getMessage());
    return command.find() ? unknown(command.group(1), spec) : value(error);
  }

  /** An argument that has no place in a command. */
  private static String unknown(String argument, CommandSpec spec) {
    String command = spec.qualifiedName();
    if (argument.startsWith("-") && argument.length() > 1) {
      String name = argument.replaceAll("=.*", "");
      List<String> near = name.startsWith("--") ? HelpLayout.optionNames(spec) : List.of();
      return command + " has no option " + name + Nearest.hint(name, near);
    }
    if (!spec.subcommands().isEmpty()) {
      return "unknown command '"
          + argument
          + "'"
          + Nearest.hint(argument, spec.subcommands().keySet());
    }
    String taken =
        spec.positionalParameters().stream()
            .map(HelpLayout::name)
            .collect(Collectors.joining(" and "));
    return "'"
        + argument
        + "' is one argument too many: "
        + command
        + (taken.isEmpty() ? " takes options only" : " takes " + taken);
  }

  /** Arguments that are not there, or options without the value that should follow. */
  private static String missing(List<ArgSpec> missing, CommandSpec spec, List<String> args) {
    List<String> lacking = new ArrayList<>();
    for (ArgSpec argument : missing) {
      if (argument instanceof OptionSpec option
          && Arrays.stream(option.names()).anyMatch(args::contains)) {
        return option.longestName() + " needs a value: expected " + HelpLayout.name(option);
      }
      lacking.add(HelpLayout.name(argument));
    }
    return spec.qualifiedName() + " needs " + String.join(" and ", lacking);
  }

  /** A value that cannot be read. */
  private static String value(ParameterException error) {
    ArgSpec argument = error.getArgSpec();
    if (argument == null || error.getValue() == null) {
      return error.getMessage();
    }
    String name =
        argument.isOption() ? ((OptionSpec) argument).longestName() : HelpLayout.name(argument);
    return name + " is '" + error.getValue() + "': expected " + expected(argument, error);
  }

  private static String expected(ArgSpec argument, ParameterException error) {
    Class<?> type = argument.isMultiValue() ? argument.auxiliaryTypes()[0] : argument.type();
    if (argument.type() == Map.class) {
      return HelpLayout.name(argument);
    }
    if (type == boolean.class) {
      return "no value";
    }
    if (error.getValue().matches("[-+]?[0-9]{10,}")) {
      return "a number that is nearer to zero";
    }
    if (type.isEnum()) {
      List<String> names = names(type);
      return "one of "
          + String.join(", ", names)
          + Nearest.hint(error.getValue().toLowerCase(Locale.ROOT), names);
    }
    return EXPECTED.getOrDefault(type, HelpLayout.name(argument));
  }

  /** How a user spells the constants of an enumeration. */
  static List<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
        .toList();
  }
}
