package dev.jformer.data.jinja;

import java.util.List;
import java.util.Map;

/** The arguments of a call: those by position, and those by name. */
record Arguments(List<Object> positional, Map<String, Object> named) {
  static final Arguments NONE = new Arguments(List.of(), Map.of());

  int count() {
    return positional.size() + named.size();
  }

  /** Whether an argument is given by position or name. */
  boolean has(int position, String name) {
    return position < positional.size() || named.containsKey(name);
  }

  /** An argument by position or name, or another value. */
  Object get(int position, String name, Object otherwise) {
    if (position < positional.size()) {
      return positional.get(position);
    }
    return named.containsKey(name) ? named.get(name) : otherwise;
  }

  /**
   * An argument by position or name.
   *
   * @throws JinjaException if it is missing
   */
  Object require(int position, String name) {
    if (!has(position, name)) {
      throw new JinjaException("the argument '" + name + "' is missing");
    }
    return get(position, name, null);
  }

  String text(int position, String name) {
    return Values.string(require(position, name), name);
  }

  String text(int position, String name, String otherwise) {
    return has(position, name) ? text(position, name) : otherwise;
  }

  int integer(int position, String name, int otherwise) {
    return has(position, name) ? Values.index(require(position, name)) : otherwise;
  }

  boolean flag(int position, String name) {
    return Values.isTrue(get(position, name, false));
  }

  /** The arguments by position that follow the first ones. */
  Arguments after(int first) {
    return new Arguments(
        positional.subList(Math.min(first, positional.size()), positional.size()), named);
  }
}
