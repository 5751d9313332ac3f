package dev.jformer.app.command;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of a recipe that options such as {@code --steps} and {@code --set} change. Options are
 * applied last, because setting an object, such as the model, replaces all of its fields.
 */
final class RecipeFields {
  private final Map<String, String> set;
  private final Map<String, String> options = new LinkedHashMap<>();

  /** Begins with the fields of {@code --set}, in their order. */
  RecipeFields(Map<String, String> set) {
    this.set = set;
  }

  /**
   * Adds the value of an option.
   *
   * @param value null if the option was not given
   * @throws CommandException if {@code --set} gives the field another value
   */
  void option(String option, String field, Object value) {
    if (value == null) {
      return;
    }
    set.forEach(
        (path, other) -> {
          boolean same = path.equals(field) && other.strip().equals(value.toString());
          if (!same && sets(path, other, field)) {
            throw new CommandException(
                option
                    + " "
                    + value
                    + " and --set "
                    + path
                    + "="
                    + other
                    + " both set "
                    + field
                    + ": expected one of them");
          }
        });
    options.put(field, value.toString());
  }

  /** Whether setting a path, perhaps to an object, sets a field. */
  private static boolean sets(String path, String value, String field) {
    if (path.equals(field)) {
      return true;
    }
    String first = field.startsWith(path + ".") ? field.substring(path.length() + 1) : "";
    String name = first.replaceAll("\\..*", "");
    return !name.isEmpty() && value.matches("(?s)\\s*\\{.*\\b" + name + "\\b[\"']?\\s*:.*");
  }

  /**
   * All fields with their values, in the order in which they are to be set.
   *
   * @param defaults fields that are set first
   */
  Map<String, String> all(Map<String, String> defaults) {
    Map<String, String> all = new LinkedHashMap<>(defaults);
    options.forEach(
        (path, value) -> {
          if (set.keySet().stream().anyMatch(inner -> inner.startsWith(path + "."))) {
            all.put(path, value); // a part comes before its own fields
          }
        });
    set.forEach(
        (path, value) -> {
          all.remove(path);
          all.put(path, value);
        });
    all.putAll(options);
    return all;
  }
}
