package dev.jformer.program;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * What the codes of a program's categorical variables stand for: tokens, or numbers such as
 * positions and results of tables.
 */
final class Codes {
  private final DiscreteProgram program;
  private final UnaryOperator<String> quoted;

  /** By variable: whether its codes are tokens. */
  private final List<Boolean> tokens = new ArrayList<>(List.of(true, false));

  private final List<String> names = new ArrayList<>(List.of("token", "position"));
  private final List<String> numbers = new ArrayList<>(List.of("one"));

  /**
   * Creates the codes.
   *
   * @param quoted makes a literal of a text
   */
  Codes(DiscreteProgram program, UnaryOperator<String> quoted) {
    this.program = program;
    this.quoted = quoted;
    for (Step step : program.steps()) {
      if (step.isCategorical()) {
        tokens.add(step instanceof Step.Select select && tokens.get(select.value()));
        names.add(step.name());
      } else {
        numbers.add(step.name());
      }
    }
  }

  /** The name of a variable. */
  String name(int variable) {
    return names.get(variable);
  }

  /** The name of a number. */
  String number(int number) {
    return numbers.get(number);
  }

  boolean areTokens(int variable) {
    return tokens.get(variable);
  }

  /** How many codes of a variable stand for something. */
  int count(int variable) {
    return areTokens(variable)
        ? program.tokens().size()
        : variable == DiscreteProgram.POSITION ? program.length() : program.values();
  }

  /** A code as a literal; null if it stands for nothing. */
  String literal(int variable, int code) {
    if (code >= count(variable)) {
      return null;
    }
    return areTokens(variable) ? quoted.apply(program.tokens().get(code)) : Integer.toString(code);
  }

  /** A text as it stands between the quotation marks of a literal of Java. */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> escaped.append("\\\"");
        case '\\' -> escaped.append("\\\\");
        case '\n' -> escaped.append("\\n");
        default -> {
          if (c < ' ' || c > '~') {
            escaped.append(String.format("\\u%04x", (int) c));
          } else {
            escaped.append(c);
          }
        }
      }
    }
    return escaped.toString();
  }

  /**
   * The codes of a variable by what a function gives for them, in the order of the codes.
   *
   * @return literals of codes by result; codes that stand for nothing are left out
   */
  <T> Map<T, List<String>> grouped(int variable, java.util.function.IntFunction<T> result) {
    Map<T, List<String>> groups = new LinkedHashMap<>();
    for (int code = 0; code < count(variable); code++) {
      groups
          .computeIfAbsent(result.apply(code), r -> new ArrayList<>())
          .add(literal(variable, code));
    }
    return groups;
  }

  /** The result that most codes have, which is written as the default. */
  static <T> T commonest(Map<T, List<String>> groups) {
    return groups.entrySet().stream()
        .max(java.util.Comparator.comparingInt(group -> group.getValue().size()))
        .orElseThrow()
        .getKey();
  }

  /** A row of a table for the codes of its second variable. */
  List<Integer> row(Step.Table table, int code) {
    return Arrays.stream(table.outputs()[code]).limit(count(table.second())).boxed().toList();
  }

  /** Where a row of a table of numbers changes: the levels from which on a result holds. */
  static Map<Integer, Integer> changes(int[] levels, int[] results) {
    Map<Integer, Integer> changes = new LinkedHashMap<>();
    for (int i = 0; i < levels.length; i++) {
      if (i == 0 || results[i] != results[i - 1]) {
        changes.put(levels[i], results[i]);
      }
    }
    return changes;
  }
}
