package dev.jformer.studies.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.compress.Compression;
import java.util.List;

/**
 * The change that a technique makes to the recipe or to the trained model.
 *
 * @param label name in reports
 * @param recipe fields that replace those of the recipe; null for none
 * @param compressions applied to the trained model in this order; empty for none
 */
record Change(String label, JsonNode recipe, List<Compression> compressions) {
  static Change of(String label, JsonNode recipe) {
    return new Change(label, recipe, List.of());
  }

  static Change of(String label, List<Compression> compressions) {
    return new Change(label, null, compressions);
  }
}
