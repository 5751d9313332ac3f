package dev.jformer.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/**
 * Damaged copies of JSON files that are mostly still JSON: values are exchanged, moved, removed.
 */
public final class JsonMutations {
  private static final JsonMapper JSON = new JsonMapper();
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "1",
          "-1",
          "3",
          "1.5",
          "1e300",
          "2147483647",
          "2147483648",
          "4294967295",
          "-2147483648",
          "9223372036854775807",
          "18446744073709551616",
          "1e-320",
          "16777215",
          "16777216",
          "100000",
          "\"\"",
          "\" \"",
          "\"a\"",
          "\"##\"",
          "\"\\ud800\"",
          "\"\\u0000\"",
          "\"[UNK]\"",
          "\"(\"",
          "\"a*a*a*a*a*a*a*a*b\"",
          "\"(a|b|ab)*c\"",
          "\".*\"",
          "\"(?=x)\"",
          "\"\\\\s+$\"",
          "\"\\\\p{L}+|\\\\p{N}\"",
          "[]",
          "{}",
          "[1]",
          "[[\"a\", 0.5]]",
          "{\"type\": \"Sequence\"}",
          "{\"type\": \"ByteLevel\"}",
          "{\"type\": \"NFC\"}",
          "{\"String\": \"a\"}",
          "{\"Regex\": \"a+\"}",
          "\"ByteLevel\"",
          "\"Metaspace\"",
          "\"Split\"",
          "\"Strip\"",
          "\"Replace\"",
          "\"Precompiled\"",
          "\"WordPiece\"",
          "\"Unigram\"",
          "\"BPE\"");

  private JsonMutations() {}

  /** Copies of one of these files with one to four changes. */
  public static Arbitrary<byte[]> of(List<byte[]> files) {
    return Arbitraries.longs()
        .map(
            seed -> {
              Random random = new Random(seed);
              byte[] file = files.get(random.nextInt(files.size()));
              return mutated(file, random);
            });
  }

  private static byte[] mutated(byte[] file, Random random) {
    try {
      JsonNode root = JSON.readTree(file);
      for (int changes = 1 + random.nextInt(4); changes > 0; changes--) {
        change(root, root, random);
      }
      byte[] made = JSON.writeValueAsBytes(root);
      if (random.nextInt(10) == 0 && made.length > 0) {
        made[random.nextInt(made.length)] = (byte) random.nextInt(256);
      }
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Walks down to a random place and changes it. */
  private static void change(JsonNode root, JsonNode from, Random random) {
    JsonNode node = from;
    while (true) {
      JsonNode child = child(node, random);
      if (child == null || !child.isContainerNode() || random.nextInt(4) == 0) {
        break;
      }
      node = child;
    }
    if (node instanceof ObjectNode object) {
      change(object, root, random);
    } else if (node instanceof ArrayNode array) {
      change(array, root, random);
    }
  }

  private static JsonNode child(JsonNode node, Random random) {
    if (node.isEmpty()) {
      return null;
    }
    List<JsonNode> children = new ArrayList<>();
    node.forEach(children::add);
    return children.get(random.nextInt(children.size()));
  }

  private static void change(ObjectNode object, JsonNode root, Random random) {
    List<String> names = new ArrayList<>();
    object.fieldNames().forEachRemaining(names::add);
    String name = names.isEmpty() ? "type" : names.get(random.nextInt(names.size()));
    switch (random.nextInt(6)) {
      case 0 -> object.remove(name);
      case 1 -> {
        JsonNode moved = object.remove(name);
        object.set(name + (random.nextBoolean() ? "" : "x"), moved);
      }
      default -> object.set(name, value(object.get(name), root, random));
    }
  }

  private static void change(ArrayNode array, JsonNode root, Random random) {
    int at = random.nextInt(array.size() + 1);
    switch (random.nextInt(4)) {
      case 0 -> array.insert(at, value(null, root, random));
      case 1 -> {
        if (at < array.size()) {
          array.remove(at);
        }
      }
      default -> {
        if (at < array.size()) {
          array.set(at, value(array.get(at), root, random));
        }
      }
    }
  }

  /** Another value: one of a list, one from elsewhere in the file, or the old one changed. */
  private static JsonNode value(JsonNode old, JsonNode root, Random random) {
    int kind = random.nextInt(5);
    if (kind == 0) {
      JsonNode node = root;
      while (node.isContainerNode() && !node.isEmpty() && random.nextInt(5) > 0) {
        node = child(node, random);
      }
      return node.size() > 2000 ? JsonNodeFactory.instance.nullNode() : node.deepCopy();
    }
    if (kind == 1 && old != null && old.isTextual()) {
      return text(old.textValue(), random);
    }
    if (kind == 1 && old != null && old.isNumber()) {
      return JsonNodeFactory.instance.numberNode(old.longValue() + random.nextInt(5) - 2);
    }
    try {
      return JSON.readTree(VALUES.get(random.nextInt(VALUES.size())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode text(String old, Random random) {
    StringBuilder text = new StringBuilder(old);
    int at = random.nextInt(text.length() + 1);
    switch (random.nextInt(4)) {
      case 0 -> text.insert(at, (char) random.nextInt(0x3000));
      case 1 -> text.insert(at, "()[]{}*+?|\\^$".charAt(random.nextInt(13)));
      case 2 -> text.delete(at, Math.min(text.length(), at + 1 + random.nextInt(3)));
      default -> text.append(old.repeat(random.nextInt(20)));
    }
    return JsonNodeFactory.instance.textNode(text.toString());
  }
}
