package dev.jformer.app.command;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** The option {@code --set}, which changes fields of a recipe. */
final class FieldOptions {
  @Option(
      names = "--set",
      paramLabel = "FIELD=VALUE",
      description = "Set a field of the recipe, for example training.batch=32; may be repeated.")
  private Map<String, String> fields = new LinkedHashMap<>();

  /** The fields to set, in the order in which they were given. */
  Map<String, String> fields() {
    return fields;
  }
}
