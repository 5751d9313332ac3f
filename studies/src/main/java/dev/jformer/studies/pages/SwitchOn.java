package dev.jformer.studies.pages;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/**
 * The configuration that switches a variant of a technique on.
 *
 * @param variant name of the variant
 * @param recipe the fields of a recipe, as JSON
 * @param options the same fields as {@code --set} options of the command line
 */
public record SwitchOn(String variant, JsonNode recipe, List<String> options) {
  /** Creates the configuration from a variant of the catalogue. */
  static SwitchOn of(String variant, JsonNode recipe) {
    List<String> options = new ArrayList<>();
    collect("", recipe, options);
    return new SwitchOn(variant, recipe, List.copyOf(options));
  }

  private static void collect(String path, JsonNode node, List<String> options) {
    if (node.isObject()) {
      String prefix = path.isEmpty() ? "" : path + ".";
      node.properties()
          .forEach(field -> collect(prefix + field.getKey(), field.getValue(), options));
    } else {
      String value = node.isTextual() ? node.asText() : node.toString();
      options.add("--set " + Shell.quote(path + "=" + value));
    }
  }
}
