package dev.jformer.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;

/** Sets a field of a configuration in JSON by its path, such as {@code model.mixer.heads}. */
final class FieldPath {
  private final String path;
  private final List<String> names;
  private final String text;

  private FieldPath(String path, String text) {
    this.path = path;
    this.names = List.of(path.split("\\.", -1));
    this.text = text;
  }

  static void set(ObjectNode tree, Record defaults, String path, String text) {
    new FieldPath(path, text).set(tree, defaults, 0);
  }

  /** Sets the field that the path names from {@code depth} on, in the JSON object of a record. */
  private void set(ObjectNode object, Record defaults, int depth) {
    ConfigField field = field(defaults, depth);
    boolean last = depth + 1 == names.size();
    JsonNode current = take(object, field);
    if (field.kind().isPresent() && !field.isList()) {
      object.set(field.name(), part(field, current, depth));
    } else if (last) {
      object.set(field.name(), value(field));
    } else if (field.element().isRecord() && !field.isList()) {
      ObjectNode inner = current instanceof ObjectNode o ? o : object.objectNode();
      object.set(field.name(), inner);
      set(inner, record(field), depth + 1);
    } else {
      throw new ConfigException(upTo(depth) + " has no fields: set it as a whole");
    }
  }

  private static Record record(ConfigField field) {
    return field.value() instanceof Record value
        ? value
        : (Record) Configs.defaults(field.element());
  }

  /** Reads a field of an object under its present or a former name, and removes former names. */
  private static JsonNode take(ObjectNode object, ConfigField field) {
    JsonNode current = object.get(field.name());
    for (String former : field.formerNames()) {
      JsonNode other = object.remove(former);
      current = current == null ? other : current;
    }
    return current;
  }

  private ConfigField field(Record defaults, int depth) {
    List<String> known = new ArrayList<>();
    for (ConfigField field : Configs.fields(defaults)) {
      if (field.name().equals(names.get(depth)) || field.formerNames().contains(names.get(depth))) {
        return field;
      }
      known.add(field.name());
    }
    throw new ConfigException(
        upTo(depth)
            + " is not a known field"
            + Nearest.hint(names.get(depth), known)
            + " (known: "
            + String.join(", ", known)
            + ")");
  }

  private JsonNode part(ConfigField field, JsonNode current, int depth) {
    Class<? extends Part> kind = field.kind().orElseThrow();
    String key = Configs.typeKey(kind);
    boolean last = depth + 1 == names.size();
    boolean typed = depth + 2 == names.size() && names.get(depth + 1).equals(key);
    JsonNode value = last || typed ? FlowText.parse(text) : null;
    if (typed || (last && !value.isObject() && !value.isNull())) {
      Configs.named(kind, text.strip(), typed ? path : upTo(depth));
      return newObject().put(key, text.strip());
    }
    if (last && (value.isNull() || value.has(key))) {
      return value;
    }
    ObjectNode object = current instanceof ObjectNode o ? o : newObject();
    if (last) {
      object.setAll((ObjectNode) value);
      return object;
    }
    JsonNode name = object.get(key);
    Object defaults =
        name == null ? field.value() : Configs.named(kind, name.asText(), upTo(depth) + "." + key);
    if (defaults == null) {
      throw new ConfigException(
          upTo(depth) + " is null: set " + upTo(depth) + "." + key + " first");
    }
    set(object, (Record) defaults, depth + 1);
    return object;
  }

  private JsonNode value(ConfigField field) {
    if (field.type() != String.class) {
      return FlowText.parse(text);
    }
    JsonNode value = text.matches("\\s*[{\\[].*") ? null : FlowText.parse(text);
    return value != null && value.isTextual() ? value : newObject().textNode(text);
  }

  private static ObjectNode newObject() {
    return JsonNodeFactory.instance.objectNode();
  }

  private String upTo(int depth) {
    return String.join(".", names.subList(0, depth + 1));
  }
}
