package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;

/**
 * Reads a Hugging Face configuration: what we need must be there, what we cannot do must not be
 * asked for.
 */
final class Fields {
  private static final long LARGEST = 1 << 24;

  private final JsonNode node;

  Fields(JsonNode node) {
    this.node = node;
  }

  /** A size that must be given. */
  int size(String name) {
    return size(name, node.get(name));
  }

  /** A size with a default. */
  int size(String name, int fallback) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? fallback : size(name, value);
  }

  private static int size(String name, JsonNode value) {
    if (value == null || !value.canConvertToExactIntegral() || !value.canConvertToInt()) {
      throw new ConfigException(name + " is " + value + ": expected an integer");
    }
    if (value.intValue() < 1 || value.intValue() > LARGEST) {
      throw new ConfigException(name + " is " + value + ": expected 1 to " + LARGEST);
    }
    return value.intValue();
  }

  double number(String name, double fallback) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return fallback;
    }
    if (!value.isNumber()) {
      throw new ConfigException(name + " is " + value + ": expected a number");
    }
    return value.doubleValue();
  }

  boolean flag(String name, boolean fallback) {
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      return fallback;
    }
    if (!value.isBoolean()) {
      throw new ConfigException(name + " is " + value + ": expected true or false");
    }
    return value.booleanValue();
  }

  String text(String name, String fallback) {
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? fallback : value.asText();
  }

  /** Refuses a field that is set to anything but what we can do. */
  void supports(String name, Object given, Object supported) {
    if (!given.equals(supported)) {
      throw new ConfigException(
          name + " is " + given + ", which is not supported: only " + supported + " is");
    }
  }

  /** Refuses a field that is set at all. */
  void absent(String name) {
    JsonNode value = node.get(name);
    if (value != null && !value.isNull()) {
      throw new ConfigException(name + " is " + value + ", which is not supported: only null is");
    }
  }

  JsonNode get(String name) {
    return node.path(name);
  }
}
