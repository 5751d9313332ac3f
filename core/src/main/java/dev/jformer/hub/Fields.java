package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Reads a Hugging Face configuration: required fields must be given, and settings that we do not
 * support are refused.
 */
final class Fields {
  private static final long LARGEST = 1 << 24;

  /** The deepest models have some hundreds. */
  static final int MOST_LAYERS = 10_000;

  private final JsonNode node;

  /** The prefix of field names in messages. */
  private final String path;

  Fields(JsonNode node) {
    this(node, "");
  }

  private Fields(JsonNode node, String path) {
    this.node = node;
    this.path = path;
  }

  /** A size that must be given. */
  int size(String name) {
    return size(name, node.get(name));
  }

  /** The number of layers, which must be given: the deepest models have some hundreds. */
  int layers(String name) {
    int layers = size(name);
    if (layers > MOST_LAYERS) {
      throw unexpected(name, node.get(name), "1 to " + MOST_LAYERS);
    }
    return layers;
  }

  /** A size with a default. */
  int size(String name, int fallback) {
    JsonNode value = given(name);
    return value == null ? fallback : size(name, value);
  }

  private int size(String name, JsonNode value) {
    if (value == null || !value.canConvertToExactIntegral() || !value.canConvertToInt()) {
      throw unexpected(name, value, "an integer");
    }
    if (value.intValue() < 1 || value.intValue() > LARGEST) {
      throw unexpected(name, value, "1 to " + LARGEST);
    }
    return value.intValue();
  }

  double number(String name, double fallback) {
    JsonNode value = given(name);
    if (value == null) {
      return fallback;
    }
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw unexpected(name, value, "a number");
    }
    return value.doubleValue();
  }

  /** A number that must be given. */
  double atLeast(String name, double least) {
    double value = number(name, Double.NEGATIVE_INFINITY);
    if (!(value >= least)) {
      throw unexpected(name, node.get(name), "a number of at least " + least);
    }
    return value;
  }

  /** A list of numbers that must be given. */
  List<Double> numbers(String name) {
    JsonNode value = given(name);
    if (value == null || !value.isArray() || value.size() > LARGEST) {
      throw unexpected(name, value, "a list of numbers");
    }
    List<Double> numbers = new ArrayList<>();
    for (JsonNode number : value) {
      if (!number.isNumber() || !(number.doubleValue() > 0)) {
        throw unexpected(name, number, "numbers above 0");
      }
      numbers.add(number.doubleValue());
    }
    return numbers;
  }

  /** A list of texts; empty if it is not given. */
  List<String> texts(String name) {
    JsonNode value = given(name);
    if (value == null) {
      return List.of();
    }
    if (!value.isArray()) {
      throw unexpected(name, value, "a list of strings");
    }
    List<String> texts = new ArrayList<>();
    value.forEach(text -> texts.add(text.asText()));
    return texts;
  }

  /** A size, 0 if it is null or 0; with a default if there is no such field. */
  int sizeOrNone(String name, int fallback) {
    JsonNode value = node.get(name);
    if (value == null) {
      return fallback;
    }
    return value.isNull() || isZero(value) ? 0 : size(name, value);
  }

  /** A number above 0, 0 if it is null or 0; with a default if there is no such field. */
  double numberOrNone(String name, double fallback) {
    JsonNode value = node.get(name);
    if (value == null) {
      return fallback;
    }
    return value.isNull() || isZero(value) ? 0 : positive(name, 0);
  }

  private static boolean isZero(JsonNode value) {
    return value.isNumber() && value.doubleValue() == 0;
  }

  /** One of several values that a text names. */
  <T> T choice(String name, String fallback, Map<String, T> values) {
    String given = text(name, fallback);
    if (!values.containsKey(given)) {
      throw unsupported(
          name, given, String.join(", ", values.keySet().stream().sorted().toList()) + " are");
    }
    return values.get(given);
  }

  /** A number above 0. */
  double positive(String name, double fallback) {
    double value = number(name, fallback);
    if (!(value > 0)) {
      throw unexpected(name, node.get(name), "a number above 0");
    }
    return value;
  }

  boolean flag(String name, boolean fallback) {
    JsonNode value = given(name);
    if (value == null) {
      return fallback;
    }
    if (!value.isBoolean()) {
      throw unexpected(name, value, "true or false");
    }
    return value.booleanValue();
  }

  String text(String name, String fallback) {
    JsonNode value = given(name);
    if (value == null) {
      return fallback;
    }
    if (!value.isTextual()) {
      throw unexpected(name, value, "a string");
    }
    return value.textValue();
  }

  /** The fields of an object, or null if it is not given. */
  Fields object(String name) {
    JsonNode value = given(name);
    if (value == null) {
      return null;
    }
    if (!value.isObject()) {
      throw unexpected(name, value, "an object");
    }
    return new Fields(value, path + name + ".");
  }

  /** Refuses a field that is set to anything but the supported value. */
  void supports(String name, Object given, Object supported) {
    if (!given.equals(supported)) {
      throw unsupported(name, given, supported + " is");
    }
  }

  /**
   * The error of a field whose value is not supported.
   *
   * @param only what is, such as {@code "silu is"}
   */
  ConfigException unsupported(String name, Object given, String only) {
    return new ConfigException(
        path
            + name
            + " is "
            + FormatException.oneLine(given.toString())
            + ", which is not supported: only "
            + only);
  }

  /** Refuses all fields but these. */
  void refuseOthers(String... names) {
    for (Map.Entry<String, JsonNode> field : node.properties()) {
      if (!field.getValue().isNull() && !List.of(names).contains(field.getKey())) {
        throw new ConfigException(
            path + FormatException.oneLine(field.getKey()) + " is set, which is not supported");
      }
    }
  }

  private JsonNode given(String name) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? null : value;
  }

  private ConfigException unexpected(String name, JsonNode value, String expected) {
    return new ConfigException(
        path
            + name
            + " is "
            + FormatException.oneLine(String.valueOf(value))
            + ": expected "
            + expected);
  }
}
