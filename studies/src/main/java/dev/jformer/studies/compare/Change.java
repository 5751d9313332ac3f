package dev.jformer.studies.compare;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.compress.Compression;
import java.util.List;

/**
 * What one technique changes: the recipe, or the trained model.
 *
 * @param label as reports show it
 * @param recipe what is laid over the recipe; null for nothing
 * @param compressions what is done to the trained model, one after the other; empty for nothing
 */
record Change(String label, JsonNode recipe, List<Compression> compressions) {
  static Change of(String label, JsonNode recipe) {
    return new Change(label, recipe, List.of());
  }

  static Change of(String label, List<Compression> compressions) {
    return new Change(label, null, compressions);
  }
}
