package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Python's operators for numbers, strings and lists. */
final class Operators {
  private Operators() {}

  static Object apply(String operator, Object a, Object b, Budget budget) {
    budget.step();
    if (a instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (b instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (operator.equals("%") && a instanceof String format) {
      return Formats.percent(format, b, budget);
    }
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return numbers(operator, a, b);
    }
    Object result =
        switch (operator) {
          case "+" -> sum(a, b, budget);
          case "*" ->
              Values.isInteger(b)
                  ? repeat(a, Values.integer(b), budget)
                  : Values.isInteger(a) ? repeat(b, Values.integer(a), budget) : null;
          default -> null;
        };
    if (result == null) {
      throw new JinjaException(
          "'"
              + operator
              + "' has no meaning for values of types "
              + Values.type(a)
              + " and "
              + Values.type(b));
    }
    return result;
  }

  private static Object sum(Object a, Object b, Budget budget) {
    if (a instanceof String first && b instanceof String second) {
      budget.make((long) first.length() + second.length());
      return first + second;
    }
    if (a instanceof List<?> first
        && b instanceof List<?> second
        && a instanceof Tuple == b instanceof Tuple) {
      budget.make((long) first.size() + second.size());
      List<Object> all = new ArrayList<>(first);
      all.addAll(second);
      return a instanceof Tuple ? new Tuple(all) : all;
    }
    return null;
  }

  private static Object repeat(Object value, long times, Budget budget) {
    long count = Math.max(0, times);
    if (value instanceof String text) {
      budget.make(product(count, text.length()));
      return text.repeat((int) count);
    }
    if (value instanceof List<?> list) {
      budget.make(product(count, list.size()));
      List<Object> all = new ArrayList<>();
      if (!list.isEmpty()) {
        Collections.nCopies((int) count, list).forEach(all::addAll);
      }
      return value instanceof Tuple ? new Tuple(all) : all;
    }
    return null;
  }

  private static long product(long count, int size) {
    return count > Integer.MAX_VALUE ? (size == 0 ? 0 : Long.MAX_VALUE) : count * size;
  }

  private static Object numbers(String operator, Object a, Object b) {
    boolean whole = Values.isInteger(a) && Values.isInteger(b);
    try {
      return whole && !operator.equals("/")
          ? integers(operator, Values.integer(a), Values.integer(b))
          : (Object) decimals(operator, Values.decimal(a), Values.decimal(b));
    } catch (ArithmeticException e) {
      throw new JinjaException(
          "'" + operator + "' of " + a + " and " + b + " is no number that a template can hold");
    }
  }

  private static Object integers(String operator, long a, long b) {
    return switch (operator) {
      case "+" -> Math.addExact(a, b);
      case "-" -> Math.subtractExact(a, b);
      case "*" -> Math.multiplyExact(a, b);
      case "//" -> Math.floorDiv(a, b);
      case "%" -> Math.floorMod(a, b);
      default -> b < 0 ? (Object) Math.pow((double) a, (double) b) : power(a, b);
    };
  }

  private static long power(long base, long exponent) {
    if (base == 0 || base == 1 || base == -1) {
      return exponent == 0 || base == 1 || (base == -1 && exponent % 2 == 0) ? 1 : base;
    }
    long result = 1;
    for (long i = 0; i < exponent; i++) { // ends by overflow after 63 steps at the latest
      result = Math.multiplyExact(result, base);
    }
    return result;
  }

  private static double decimals(String operator, double a, double b) {
    if (b == 0 && (operator.equals("/") || operator.equals("//") || operator.equals("%"))) {
      throw new ArithmeticException("division by zero");
    }
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      case "//" -> Math.floor(a / b);
      case "%" -> a - b * Math.floor(a / b);
      default -> Math.pow(a, b);
    };
  }

  static Object negate(Object value) {
    return Values.isInteger(value)
        ? (Object) Math.negateExact(Values.integer(value))
        : (Object) (-Values.decimal(value));
  }

  static boolean compares(String operator, Object a, Object b, Budget budget) {
    budget.step();
    return switch (operator) {
      case "==" -> Values.equal(a, b, budget);
      case "!=" -> !Values.equal(a, b, budget);
      case "<" -> Values.compare(a, b, budget) < 0;
      case "<=" -> Values.compare(a, b, budget) <= 0;
      case ">" -> Values.compare(a, b, budget) > 0;
      case ">=" -> Values.compare(a, b, budget) >= 0;
      case "in" -> Values.contains(b, a, budget);
      default -> !Values.contains(b, a, budget);
    };
  }
}
