package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Looks up attributes and items, as Jinja's immutable sandbox does: nothing private, and no method
 * that changes a value.
 */
final class Attributes {
  private Attributes() {}

  /** {@code value.name}: an attribute, or else an item. */
  static Object attribute(Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (value instanceof Namespace namespace && namespace.attributes().containsKey(name)) {
      return namespace.attributes().get(name);
    }
    if (value instanceof Loop loop && (name.equals("previtem") || name.equals("nextitem"))) {
      return loop.neighbour(name);
    }
    Object method = own(value, name);
    if (method != null) {
      return method;
    }
    if (value instanceof Map<?, ?> map && map.containsKey(name)) {
      return map.get(name);
    }
    return new Undefined(
        "a value of type " + Values.type(value) + " has no attribute '" + name + "'");
  }

  /** {@code value[key]}: an item, or else an attribute. */
  static Object item(Object value, Object key, Budget budget) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    if (value instanceof Map<?, ?> map && map.containsKey(Values.key(key))) {
      return map.get(key);
    }
    if (value instanceof Namespace && key instanceof String name) {
      return attribute(value, name);
    }
    if (Values.isInteger(key) && (value instanceof List || value instanceof String)) {
      long size = Values.length(value);
      long index = Values.integer(key) < 0 ? Values.integer(key) + size : Values.integer(key);
      if (index >= 0 && index < size) {
        return value instanceof List<?> list
            ? list.get((int) index)
            : Values.items(value, budget).get((int) index);
      }
    }
    Object method = key instanceof String name ? own(value, name) : null;
    return method != null
        ? method
        : new Undefined(
            "a value of type "
                + Values.type(value)
                + " has no item "
                + (key instanceof Undefined
                    ? "of an undefined key"
                    : Text.represented(key, budget)));
  }

  /** An attribute that the value has by its type; null if there is none. */
  private static Object own(Object value, String name) {
    if (name.startsWith("_")) {
      return null;
    }
    if (value instanceof Loop loop) {
      return loop.attribute(name);
    }
    if (value instanceof String text) {
      return StringMethods.of(text, name);
    }
    if (value instanceof Map) {
      return ContainerMethods.ofMap(Values.map(value), name);
    }
    return value instanceof List<?> list ? ContainerMethods.ofList(list, name) : null;
  }

  /** {@code value[from:to:step]}; a bound that is null is left out. */
  static Object slice(Object value, Object from, Object to, Object by, Budget budget) {
    if (!(value instanceof String) && !(value instanceof List)) {
      throw Values.wrong(value, "a string or list to take a slice of");
    }
    List<Object> items = Values.items(value, budget);
    long step = by == null ? 1 : Values.index(by);
    if (step == 0) {
      throw new JinjaException("the step of a slice is 0");
    }
    int size = items.size();
    long start = bound(from, step > 0 ? 0 : size - 1, size, step);
    long end = bound(to, step > 0 ? size : -1, size, step);
    List<Object> taken = new ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      taken.add(items.get((int) i));
    }
    budget.make(taken.size());
    if (value instanceof String) {
      StringBuilder text = new StringBuilder();
      taken.forEach(text::append);
      return text.toString();
    }
    return value instanceof Tuple ? new Tuple(taken) : taken;
  }

  private static long bound(Object given, int otherwise, int size, long step) {
    if (given == null) {
      return otherwise;
    }
    long index = Values.index(given);
    index += index < 0 ? size : 0;
    return step > 0 ? Math.max(0, Math.min(size, index)) : Math.max(-1, Math.min(size - 1, index));
  }
}
