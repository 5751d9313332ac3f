package dev.jformer.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The result of finding entities in a text.
 *
 * @param input the text
 * @param entities the entities, first to last
 */
public record TaggedText(String input, List<Entity> entities) implements InputPrediction {
  /** Copies the list. */
  public TaggedText {
    entities = List.copyOf(entities);
  }

  @Override
  public String describe(int most) {
    return entities.isEmpty()
        ? "no entities"
        : entities.stream()
            .map(
                e ->
                    String.format(
                        Locale.ROOT, "%s '%s' %.1f %%", e.type(), e.text(), 100 * e.probability()))
            .collect(Collectors.joining(", "));
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("input", input);
    fields.put("entities", entities);
    return fields;
  }
}
