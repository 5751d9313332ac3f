package dev.jformer.data.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The tests that stand after {@code is}. */
final class Tests {
  private Tests() {}

  /**
   * Tests a value.
   *
   * @throws JinjaException if there is no test of this name
   */
  static boolean test(String name, Object value, Arguments arguments, Budget budget) {
    budget.step();
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value == null;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "string" -> value instanceof String;
      case "number" -> Values.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "mapping" -> value instanceof Map;
      case "sequence" ->
          value instanceof String
              || value instanceof List
              || value instanceof Map
              || value instanceof Undefined;
      case "iterable" ->
          value instanceof String
              || value instanceof List
              || value instanceof Map
              || value instanceof View
              || value instanceof Undefined;
      case "callable" -> value instanceof Callable;
      case "odd" -> Math.floorMod(Values.integer(value), 2L) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2L) == 0;
      case "divisibleby" -> isDivisible(value, arguments, budget);
      case "lower" ->
          Text.of(value, budget).equals(Text.of(value, budget).toLowerCase(Locale.ROOT))
              && hasCase(value, budget);
      case "upper" ->
          Text.of(value, budget).equals(Text.of(value, budget).toUpperCase(Locale.ROOT))
              && hasCase(value, budget);
      case "sameas" -> isSame(value, arguments.require(0, "other"));
      case "eq", "equalto", "==" -> compare("==", value, arguments, budget);
      case "ne", "!=" -> compare("!=", value, arguments, budget);
      case "lt", "lessthan", "<" -> compare("<", value, arguments, budget);
      case "le", "<=" -> compare("<=", value, arguments, budget);
      case "gt", "greaterthan", ">" -> compare(">", value, arguments, budget);
      case "ge", ">=" -> compare(">=", value, arguments, budget);
      case "in" -> compare("in", value, arguments, budget);
      case "escaped" -> false;
      case "filter" -> value instanceof String text && Filters.exists(text);
      default -> throw new JinjaException("there is no test named '" + name + "'");
    };
  }

  private static boolean compare(
      String operator, Object value, Arguments arguments, Budget budget) {
    return Operators.compares(operator, value, arguments.require(0, "other"), budget);
  }

  private static boolean isDivisible(Object value, Arguments arguments, Budget budget) {
    return Values.integer(Operators.apply("%", value, arguments.require(0, "num"), budget)) == 0;
  }

  private static boolean hasCase(Object value, Budget budget) {
    return Text.of(value, budget)
        .codePoints()
        .anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
  }

  /** Whether two values are the same object; small numbers and strings are if they are equal. */
  private static boolean isSame(Object a, Object b) {
    boolean plain = a instanceof Number || a instanceof Boolean || a instanceof String;
    return plain ? a.equals(b) : a == b;
  }
}
