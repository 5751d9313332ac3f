package dev.jformer.data.jinja;

import java.util.List;
import java.util.Map;

/** Values as Python's {@code json.dumps} writes them. */
final class Json {
  private static final int DEEPEST = 200;

  private final StringBuilder out = new StringBuilder();
  private final Budget budget;
  private final boolean ascii;
  private final String indent;
  private final String between;
  private final String colon;
  private final boolean sorted;

  private Json(Arguments arguments, Budget budget) {
    this.budget = budget;
    this.ascii = arguments.flag(0, "ensure_ascii");
    Object given = arguments.get(1, "indent", null);
    this.indent =
        given == null
            ? null
            : given instanceof String text ? text : spaces(Values.index(given), budget);
    Object separators = arguments.get(2, "separators", null);
    List<Object> pair = separators == null ? List.of() : Values.items(separators, budget);
    this.between =
        pair.size() == 2 ? Values.string(pair.get(0), "separators") : indent == null ? ", " : ",";
    this.colon = pair.size() == 2 ? Values.string(pair.get(1), "separators") : ": ";
    this.sorted = arguments.flag(3, "sort_keys");
  }

  private static String spaces(int count, Budget budget) {
    budget.make(count);
    return " ".repeat(Math.max(0, count));
  }

  /**
   * Writes a value.
   *
   * @param arguments those of the filter {@code tojson} of transformers: {@code ensure_ascii},
   *     {@code indent}, {@code separators}, {@code sort_keys}
   */
  static String write(Object value, Arguments arguments, Budget budget) {
    Json json = new Json(arguments, budget);
    json.write(value, 0);
    return json.out.toString();
  }

  private void write(Object value, int depth) {
    budget.step();
    budget.bound(out.length());
    if (depth > DEEPEST) {
      throw new JinjaException("a value is nested more than " + DEEPEST + " deep");
    }
    if (value instanceof String text) {
      quote(text);
    } else if (value instanceof List<?> list) {
      array(list, depth);
    } else if (value instanceof Map<?, ?> map) {
      object(Values.map(map), depth);
    } else if (value == null || value instanceof Boolean || value instanceof Number) {
      out.append(plain(value));
    } else {
      throw Values.wrong(value, "what JSON can hold");
    }
  }

  private static String plain(Object value) {
    if (value instanceof Double number && (number.isNaN() || number.isInfinite())) {
      return number.isNaN() ? "NaN" : number > 0 ? "Infinity" : "-Infinity";
    }
    return value instanceof Double number ? Text.decimal(number) : String.valueOf(value);
  }

  private void array(List<?> list, int depth) {
    if (list.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < list.size(); i++) {
      out.append(i == 0 ? "" : between);
      line(depth + 1);
      write(list.get(i), depth + 1);
    }
    line(depth);
    out.append(']');
  }

  private void object(Map<Object, Object> map, int depth) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    out.append('{');
    List<Map.Entry<Object, Object>> entries = new java.util.ArrayList<>(map.entrySet());
    if (sorted) {
      entries.sort((a, b) -> Values.compare(a.getKey(), b.getKey(), budget));
    }
    String separator = "";
    for (Map.Entry<Object, Object> entry : entries) {
      out.append(separator);
      separator = between;
      line(depth + 1);
      Object key = entry.getKey();
      quote(key instanceof String text ? text : plain(key));
      out.append(colon);
      write(entry.getValue(), depth + 1);
    }
    line(depth);
    out.append('}');
  }

  private void line(int depth) {
    if (indent != null) {
      budget.make((long) indent.length() * depth);
      out.append('\n').append(indent.repeat(depth));
    }
  }

  private void quote(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < ' ' || (ascii && c > '~')) {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
