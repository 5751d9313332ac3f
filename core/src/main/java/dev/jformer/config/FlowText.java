package dev.jformer.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * Reads values as typed on a command line: JSON in which quotes may be left out, as in {@code
 * {type: pooling, size: 3}}.
 */
final class FlowText {
  private final String text;
  private int at;

  private FlowText(String text) {
    this.text = text;
  }

  /**
   * Parses a text as an object, a list, a number, {@code true}, {@code false}, {@code null} or a
   * string.
   *
   * @throws ConfigException if it begins like an object or a list but is malformed
   */
  static JsonNode parse(String text) {
    String stripped = text.strip();
    if (!stripped.startsWith("{") && !stripped.startsWith("[")) {
      return scalar(stripped);
    }
    FlowText reader = new FlowText(stripped);
    JsonNode node = reader.value();
    if (reader.at < stripped.length()) {
      throw reader.error("the end");
    }
    return node;
  }

  private JsonNode value() {
    skipSpace();
    if (take('{')) {
      return object();
    }
    if (take('[')) {
      return list();
    }
    JsonNode node = scalar(token());
    skipSpace();
    return node;
  }

  private ObjectNode object() {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    skipSpace();
    while (!take('}')) {
      String name = scalar(token()).asText();
      if (name.isEmpty() || !take(':')) {
        throw error("'name: value'");
      }
      object.set(name, value());
      if (!take(',') && peek() != '}') {
        throw error("',' or '}'");
      }
      skipSpace();
    }
    skipSpace();
    return object;
  }

  private ArrayNode list() {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    skipSpace();
    while (!take(']')) {
      list.add(value());
      if (!take(',') && peek() != ']') {
        throw error("',' or ']'");
      }
      skipSpace();
    }
    skipSpace();
    return list;
  }

  /** Reads a quoted string with its quotes, or the text up to the next delimiter. */
  private String token() {
    skipSpace();
    int start = at;
    char quote = peek();
    if (quote == '"' || quote == '\'') {
      at++;
      while (at < text.length() && text.charAt(at) != quote) {
        at += text.charAt(at) == '\\' ? 2 : 1;
      }
      if (at >= text.length()) {
        throw error("a closing " + quote);
      }
      at++;
    } else {
      while (at < text.length() && ",:{}[]".indexOf(text.charAt(at)) < 0) {
        at++;
      }
    }
    String token = text.substring(start, at).strip();
    skipSpace();
    return token;
  }

  private static JsonNode scalar(String token) {
    if (token.length() > 1 && token.startsWith("'") && token.endsWith("'")) {
      return JsonNodeFactory.instance.textNode(token.substring(1, token.length() - 1));
    }
    try {
      return Configs.tree(token);
    } catch (ConfigException e) {
      return JsonNodeFactory.instance.textNode(token);
    }
  }

  private void skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private char peek() {
    return at < text.length() ? text.charAt(at) : '\0';
  }

  private boolean take(char sign) {
    if (peek() == sign) {
      at++;
      return true;
    }
    return false;
  }

  private ConfigException error(String expected) {
    return new ConfigException(
        "'"
            + Configs.abbreviate(text)
            + "': expected "
            + expected
            + " after "
            + at
            + " characters");
  }
}
