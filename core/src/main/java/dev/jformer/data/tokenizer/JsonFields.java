package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Reads the fields of an object of a {@code tokenizer.json}. Each value is checked, because the
 * file may come from anywhere.
 *
 * @param path where the object stands in the file, for messages
 */
record JsonFields(JsonNode node, String path) {
  /** Ids are below this: no vocabulary is larger, and tables of ids must fit into memory. */
  static final int MOST_IDS = 1 << 24;

  /** The {@code type} of a part. */
  String type() {
    return text("type");
  }

  /** An exception for a part of a type that is not known. */
  DataException unknownType(String... known) {
    return new DataException(
        path
            + " is of type "
            + FormatException.quote(type())
            + ", which is not supported: expected one of "
            + String.join(", ", known));
  }

  private JsonNode given(String name) {
    JsonNode value = node.path(name);
    return value.isNull() ? MissingNode.getInstance() : value;
  }

  boolean has(String name) {
    return !given(name).isMissingNode();
  }

  private DataException expected(String name, String what) {
    JsonNode value = node.path(name);
    return new DataException(
        path
            + "."
            + name
            + (value.isMissingNode()
                ? " is missing"
                : " is " + FormatException.oneLine(value.toString()))
            + ": expected "
            + what);
  }

  /** A text that must be given. */
  String text(String name) {
    JsonNode value = given(name);
    if (!value.isTextual()) {
      throw expected(name, "a string");
    }
    return value.textValue();
  }

  String text(String name, String fallback) {
    return has(name) ? text(name) : fallback;
  }

  /** A text of one character. */
  int character(String name) {
    String text = text(name);
    if (text.isEmpty() || text.codePointCount(0, text.length()) != 1) {
      throw expected(name, "one character");
    }
    return text.codePointAt(0);
  }

  boolean flag(String name, boolean fallback) {
    JsonNode value = given(name);
    if (value.isMissingNode()) {
      return fallback;
    }
    if (!value.isBoolean()) {
      throw expected(name, "true or false");
    }
    return value.booleanValue();
  }

  int number(String name, int least, int fallback) {
    if (!has(name)) {
      return fallback;
    }
    JsonNode value = given(name);
    if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < least) {
      throw expected(name, "a whole number of at least " + least);
    }
    return (int) Math.min(Integer.MAX_VALUE, value.longValue());
  }

  /** The id of a token. */
  int id(String name) {
    if (!isId(node.path(name))) {
      throw expected(name, "a token's id, 0 to " + (MOST_IDS - 1));
    }
    return node.path(name).intValue();
  }

  static boolean isId(JsonNode value) {
    return value.isIntegralNumber()
        && value.canConvertToInt()
        && value.intValue() >= 0
        && value.intValue() < MOST_IDS;
  }

  /** One of the constants of an enumeration, by its name in camel case. */
  <E extends Enum<E>> E oneOf(String name, E[] constants, E fallback) {
    if (fallback != null && !has(name)) {
      return fallback;
    }
    String wanted = text(name).replace("_", "");
    for (E constant : constants) {
      if (constant.name().replace("_", "").equalsIgnoreCase(wanted)) {
        return constant;
      }
    }
    List<String> names =
        Stream.of(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT)).toList();
    throw expected(name, "one of " + names);
  }

  /** An object, or null if it is not given. */
  JsonFields object(String name) {
    if (!has(name)) {
      return null;
    }
    if (!given(name).isObject()) {
      throw expected(name, "an object");
    }
    return new JsonFields(given(name), path.isEmpty() ? name : path + "." + name);
  }

  /** An object that must be given. */
  JsonFields required(String name) {
    JsonFields object = object(name);
    if (object == null) {
      throw expected(name, "an object");
    }
    return object;
  }

  /** The objects of a list; none if it is not given. */
  List<JsonFields> objects(String name) {
    List<JsonFields> objects = new ArrayList<>();
    for (JsonNode element : list(name)) {
      if (!element.isObject()) {
        throw expected(name, "a list of objects");
      }
      objects.add(
          new JsonFields(
              element, (path.isEmpty() ? "" : path + ".") + name + "." + objects.size()));
    }
    return objects;
  }

  /** The elements of a list; none if it is not given. */
  JsonNode list(String name) {
    if (has(name) && !given(name).isArray()) {
      throw expected(name, "a list");
    }
    return given(name);
  }
}
