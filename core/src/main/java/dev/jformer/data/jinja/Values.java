package dev.jformer.data.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What Python does with values of any type. */
final class Values {
  private Values() {}

  /**
   * A value of Java's as one of a template's.
   *
   * @throws JinjaException if there is none
   */
  static Object of(Object value) {
    if (value == null || value instanceof Boolean || value instanceof Long) {
      return value;
    }
    if (value instanceof Integer || value instanceof Short || value instanceof Byte) {
      return ((Number) value).longValue();
    }
    if (value instanceof BigInteger big) {
      return big.bitLength() < Long.SIZE ? (Object) big.longValue() : big.doubleValue();
    }
    if (value instanceof Number number) {
      return number.doubleValue();
    }
    if (value instanceof CharSequence text) {
      return text.toString();
    }
    if (value instanceof Map<?, ?> map) {
      Map<Object, Object> copy = new LinkedHashMap<>();
      map.forEach((key, item) -> copy.put(of(key), of(item)));
      return copy;
    }
    if (value instanceof Collection<?> items) {
      List<Object> copy = new ArrayList<>();
      items.forEach(item -> copy.add(of(item)));
      return copy;
    }
    throw new IllegalArgumentException(
        "a value of "
            + value.getClass().getName()
            + " cannot be given to a template: expected texts, numbers, lists and maps");
  }

  static boolean isTrue(Object value) {
    if (value == null || value instanceof Undefined) {
      return false;
    }
    if (value instanceof Boolean is) {
      return is;
    }
    if (value instanceof Number number) {
      return number.doubleValue() != 0;
    }
    if (value instanceof String text) {
      return !text.isEmpty();
    }
    if (value instanceof Collection<?> items) {
      return !items.isEmpty();
    }
    if (value instanceof Map<?, ?> map) {
      return !map.isEmpty();
    }
    return !(value instanceof View view && view.name() != null && view.items().isEmpty());
  }

  /** The name of a value's type in Python, for messages. */
  static String type(Object value) {
    if (value == null) {
      return "None";
    }
    if (value instanceof Boolean) {
      return "bool";
    }
    if (value instanceof Long) {
      return "int";
    }
    if (value instanceof Double) {
      return "float";
    }
    if (value instanceof String) {
      return "str";
    }
    if (value instanceof Tuple) {
      return "tuple";
    }
    if (value instanceof List) {
      return "list";
    }
    return value instanceof Map
        ? "dict"
        : value.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
  }

  static boolean isNumber(Object value) {
    return value instanceof Number || value instanceof Boolean;
  }

  /** A whole number or a boolean as a number. */
  static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  static long integer(Object value) {
    if (!isInteger(value)) {
      throw wrong(value, "a whole number");
    }
    return value instanceof Boolean is ? (is ? 1 : 0) : (Long) value;
  }

  static double decimal(Object value) {
    if (!isNumber(value)) {
      throw wrong(value, "a number");
    }
    return value instanceof Boolean is ? (is ? 1 : 0) : ((Number) value).doubleValue();
  }

  /**
   * A whole number that fits an index.
   *
   * @throws JinjaException if it is none
   */
  static int index(Object value) {
    return (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, integer(value)));
  }

  static String string(Object value, String what) {
    if (value instanceof String text) {
      return text;
    }
    throw value instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException("'" + what + "' is of type " + type(value) + ": expected a string");
  }

  /** The error that a value is not what is needed. */
  static JinjaException wrong(Object value, String expected) {
    return value instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException("a value of type " + type(value) + " is given: expected " + expected);
  }

  static boolean equal(Object a, Object b, Budget budget) {
    budget.step();
    if (a == b) {
      return true;
    }
    if (isNumber(a) && isNumber(b)) {
      return (isInteger(a) && isInteger(b)) ? integer(a) == integer(b) : decimal(a) == decimal(b);
    }
    if (a instanceof List<?> first && b instanceof List<?> second) {
      return a instanceof Tuple == b instanceof Tuple && equalLists(first, second, budget);
    }
    if (a instanceof Map<?, ?> first && b instanceof Map<?, ?> second) {
      return first.size() == second.size()
          && first.entrySet().stream()
              .allMatch(
                  e ->
                      second.containsKey(e.getKey())
                          && equal(e.getValue(), second.get(e.getKey()), budget));
    }
    if (a instanceof Undefined || b instanceof Undefined) {
      return a instanceof Undefined && b instanceof Undefined;
    }
    return a instanceof String && Objects.equals(a, b);
  }

  private static boolean equalLists(List<?> first, List<?> second, Budget budget) {
    if (first.size() != second.size()) {
      return false;
    }
    for (int i = 0; i < first.size(); i++) {
      if (!equal(first.get(i), second.get(i), budget)) {
        return false;
      }
    }
    return true;
  }

  /**
   * Compares numbers, strings or lists.
   *
   * @throws JinjaException if they have no order
   */
  static int compare(Object a, Object b, Budget budget) {
    budget.step();
    if (isNumber(a) && isNumber(b)) {
      return isInteger(a) && isInteger(b)
          ? Long.compare(integer(a), integer(b))
          : Double.compare(decimal(a) + 0.0, decimal(b) + 0.0);
    }
    if (a instanceof String first && b instanceof String second) {
      return comparePoints(first, second);
    }
    if (a instanceof List<?> first && b instanceof List<?> second) {
      for (int i = 0; i < Math.min(first.size(), second.size()); i++) {
        if (!equal(first.get(i), second.get(i), budget)) {
          return compare(first.get(i), second.get(i), budget);
        }
      }
      return Integer.compare(first.size(), second.size());
    }
    if (a instanceof Undefined undefined) {
      throw undefined.error();
    }
    throw b instanceof Undefined undefined
        ? undefined.error()
        : new JinjaException("values of types " + type(a) + " and " + type(b) + " have no order");
  }

  /** Compares strings by their code points. */
  private static int comparePoints(String a, String b) {
    int n = Math.min(a.length(), b.length());
    for (int i = 0; i < n; i++) {
      if (a.charAt(i) != b.charAt(i)) {
        return Integer.compare(a.codePointAt(i), b.codePointAt(i));
      }
    }
    return Integer.compare(a.length(), b.length());
  }

  /**
   * The items that a loop over a value takes.
   *
   * @throws JinjaException if it has none
   */
  static List<Object> items(Object value, Budget budget) {
    if (value instanceof List<?> list) {
      return unchecked(list);
    }
    if (value instanceof View view) {
      return view.items();
    }
    if (value instanceof Map<?, ?> map) {
      budget.make(map.size());
      return new ArrayList<>(map.keySet());
    }
    if (value instanceof String text) {
      budget.make(text.length());
      List<Object> characters = new ArrayList<>();
      text.codePoints().forEach(c -> characters.add(Character.toString(c)));
      return characters;
    }
    if (value instanceof Undefined) {
      return List.of();
    }
    throw new JinjaException("a value of type " + type(value) + " has no items");
  }

  @SuppressWarnings("unchecked") // nothing is ever added to it
  private static List<Object> unchecked(List<?> list) {
    return (List<Object>) list;
  }

  @SuppressWarnings("unchecked") // nothing is ever added to it
  static Map<Object, Object> map(Object value) {
    if (value instanceof Map<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    throw wrong(value, "a mapping");
  }

  /**
   * A value that can be a key of a dictionary.
   *
   * @throws JinjaException if it cannot
   */
  static Object key(Object value) {
    if (value instanceof List || value instanceof Map) {
      throw wrong(value, "a string or number as the key of a dictionary");
    }
    return value;
  }

  /**
   * The number of items or characters.
   *
   * @throws JinjaException if it has none
   */
  static long length(Object value) {
    if (value instanceof String text) {
      return text.codePointCount(0, text.length());
    }
    if (value instanceof Collection<?> items) {
      return items.size();
    }
    if (value instanceof Map<?, ?> map) {
      return map.size();
    }
    if (value instanceof View view && view.name() != null) {
      return view.items().size();
    }
    if (value instanceof Undefined) {
      return 0;
    }
    throw new JinjaException("a value of type " + type(value) + " has no length");
  }

  /** Whether a value is among the items of another, or a part of a string. */
  static boolean contains(Object container, Object item, Budget budget) {
    if (container instanceof String text) {
      String part = string(item, "the left side of 'in'");
      budget.search(text.length(), part.length());
      return text.contains(part);
    }
    if (container instanceof Map<?, ?> map) {
      return map.containsKey(key(item));
    }
    for (Object other : items(container, budget)) {
      if (equal(other, item, budget)) {
        return true;
      }
    }
    return false;
  }
}
