package dev.jformer.studies.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/**
 * The catalogue's entry on an implemented technique.
 *
 * @param about description of the technique in two lines
 * @param classes the full names of the classes that implement it, the most important first
 * @param use the change of a recipe that switches it on, by variant; {@code compare} uses them;
 *     empty if it is not switched on in a recipe
 * @param configuration changes of a recipe for particular data or models, by variant; {@code
 *     compare} uses them only if {@code use} is empty
 * @param compress the arguments of {@code jformer compress RUN --with}; empty if it is not applied
 *     to a trained model
 * @param command one command to try it
 * @param when when to use it, and when not to
 * @param results references to the figures that show its gains and costs
 */
public record Technique(
    List<String> about,
    List<String> classes,
    Map<String, JsonNode> use,
    Map<String, JsonNode> configuration,
    List<String> compress,
    String command,
    String when,
    List<TableReference> results) {
  /** The empty entry of a planned technique. */
  static final Technique PLANNED =
      new Technique(List.of(), List.of(), Map.of(), Map.of(), List.of(), "", "", List.of());

  /** Replaces fields that the file leaves out by empty ones. */
  public Technique {
    use = use == null ? Map.of() : use;
    configuration = configuration == null ? Map.of() : configuration;
    compress = compress == null ? List.of() : compress;
  }

  /** The goals that its results measure, in the order of {@link Goal}. */
  public List<Goal> goals() {
    return results.stream().map(TableReference::goal).distinct().sorted().toList();
  }
}
