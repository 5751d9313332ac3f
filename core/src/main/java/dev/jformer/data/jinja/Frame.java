package dev.jformer.data.jinja;

import java.util.HashMap;
import java.util.Map;

/** The variables that a part of a template sees, and the text that it writes. */
final class Frame {
  private final Frame parent;
  private final Map<String, Object> variables = new HashMap<>();
  private final Budget budget;
  private final StringBuilder out;

  private Frame(Frame parent, Budget budget, StringBuilder out) {
    this.parent = parent;
    this.budget = budget;
    this.out = out;
  }

  /** The outermost frame. */
  static Frame outermost(Budget budget) {
    return new Frame(null, budget, new StringBuilder());
  }

  /** A frame inside this one that writes to the same text. */
  Frame inner() {
    return new Frame(this, budget, out);
  }

  /** A frame inside this one with a text of its own. */
  Frame capturing() {
    return new Frame(this, budget, new StringBuilder());
  }

  Object get(String name) {
    for (Frame frame = this; frame != null; frame = frame.parent) {
      Object value = frame.variables.get(name);
      if (value != null || frame.variables.containsKey(name)) {
        return value;
      }
    }
    return new Undefined("'" + name + "' is undefined");
  }

  void set(String name, Object value) {
    variables.put(name, value);
  }

  Budget budget() {
    return budget;
  }

  void write(String text) {
    budget.make(text.length());
    if ((long) out.length() + text.length() > Integer.MAX_VALUE / 8) {
      throw new JinjaException("it writes more than " + out.length() + " characters");
    }
    out.append(text);
  }

  /** What was written. */
  String text() {
    return out.toString();
  }
}
