package dev.jformer.nas;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A space of configurations: values to choose from for some fields of a recipe.
 *
 * @param choices the values of each field by its path, such as {@code model.layers}: JSON, or else
 *     a string
 */
public record ConfigurationSpace(Map<String, List<String>> choices) {
  /** Checks that there is something to choose. */
  public ConfigurationSpace {
    Map<String, List<String>> copy = new LinkedHashMap<>();
    choices.forEach(
        (field, values) -> {
          if (values.isEmpty()) {
            throw new IllegalArgumentException(
                field + " has no values to choose from: expected at least one");
          }
          copy.put(field, List.copyOf(values));
        });
    if (copy.values().stream().allMatch(values -> values.size() == 1)) {
      throw new IllegalArgumentException(
          "there is nothing to choose: expected a field with two values or more");
    }
    choices = Collections.unmodifiableMap(copy);
  }

  /** The number of configurations. */
  public double size() {
    return choices.values().stream().mapToDouble(List::size).reduce(1, (a, b) -> a * b);
  }

  /** Draws a configuration: the chosen values by their fields. */
  public Map<String, String> draw(SplittableRandom random) {
    Map<String, String> chosen = new LinkedHashMap<>();
    choices.forEach(
        (field, values) -> chosen.put(field, values.get(random.nextInt(values.size()))));
    return chosen;
  }

  /** Returns a configuration in which one field has another value. */
  public Map<String, String> mutated(Map<String, String> parent, SplittableRandom random) {
    List<String> free =
        choices.entrySet().stream()
            .filter(e -> e.getValue().size() > 1)
            .map(Map.Entry::getKey)
            .toList();
    String field = free.get(random.nextInt(free.size()));
    List<String> others = new ArrayList<>(choices.get(field));
    others.remove(parent.get(field));
    Map<String, String> child = new LinkedHashMap<>(parent);
    child.put(field, others.get(random.nextInt(others.size())));
    return child;
  }
}
