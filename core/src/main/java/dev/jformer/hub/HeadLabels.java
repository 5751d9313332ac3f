package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The names of a classifier's labels in the configuration of a Hugging Face model. */
public final class HeadLabels {
  static final String FIELD = "id2label";

  /** The labels of a classifier whose configuration names none. */
  private static final List<String> USUAL = List.of("LABEL_0", "LABEL_1");

  private HeadLabels() {}

  /**
   * Reads the labels of a model.
   *
   * @param folder its folder
   * @return the labels in the order of the model's scores; empty if the folder names none
   * @throws ConfigException if they are not numbered from 0
   */
  public static List<String> read(Path folder) throws IOException {
    Path file = folder.resolve(Models.CONFIG);
    JsonNode config = SideFiles.read(file);
    if (!config.has("model_type")) {
      return List.of();
    }
    try {
      return of(config);
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  /** The labels in a configuration; empty if it has none. */
  static List<String> of(JsonNode config) {
    JsonNode field = config.path(FIELD);
    if (!field.isObject()) {
      boolean classifies =
          EncoderHead.named(config).filter(head -> head != EncoderHead.MASKED).isPresent();
      return classifies ? USUAL : List.of();
    }
    String[] names = new String[field.size()];
    for (Map.Entry<String, JsonNode> entry : field.properties()) {
      int number = number(entry.getKey(), names.length);
      if (!entry.getValue().isTextual()) {
        throw new ConfigException(
            FIELD
                + "."
                + number
                + " is "
                + FormatException.oneLine(entry.getValue().toString())
                + ": expected the name of a label");
      }
      names[number] = entry.getValue().textValue();
    }
    List<String> labels = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      if (names[i] == null) {
        throw new ConfigException(
            FIELD + " has " + names.length + " labels, but none with the number " + i);
      }
      // ImageNet has two cranes: the second gets its number, so that names are distinct.
      labels.add(labels.contains(names[i]) ? names[i] + " (" + i + ")" : names[i]);
    }
    return List.copyOf(labels);
  }

  /**
   * Puts labels into a configuration.
   *
   * @param labels their names; empty to number them
   * @param count how many the model has
   */
  static void put(ObjectNode config, List<String> labels, int count) {
    if (!labels.isEmpty() && labels.size() != count) {
      throw new ConfigException(
          "there are " + labels.size() + " names of labels: expected " + count);
    }
    ObjectNode names = config.putObject(FIELD);
    ObjectNode numbers = config.putObject("label2id");
    for (int i = 0; i < count; i++) {
      String name = labels.isEmpty() ? "LABEL_" + i : labels.get(i);
      names.put(Integer.toString(i), name);
      numbers.put(name, i);
    }
  }

  private static int number(String key, int count) {
    if (!key.matches("[0-9]{1,9}") || Integer.parseInt(key) >= count) {
      throw new ConfigException(
          FIELD
              + " has the key "
              + FormatException.quote(key)
              + ": expected the numbers 0 to "
              + (count - 1));
    }
    return Integer.parseInt(key);
  }
}
