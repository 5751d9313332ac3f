package dev.jformer.studies.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/**
 * What the catalogue knows of a technique that is here.
 *
 * @param about what it is, in two lines of plain English
 * @param classes the full names of the classes that implement it, the most telling first
 * @param use a change of the recipe for each variant by which {@code compare} uses it; empty where
 *     it is not switched on in a recipe
 * @param configuration the same for variants of particular data or models; {@code compare} uses
 *     them by the paper's name only if there is no other use
 * @param compress what stands after {@code jformer compress RUN --with}; empty where it is not
 *     applied to a trained model
 * @param command one command to try it
 * @param when when to use it, and when not to
 * @param results where the paper's results show what it gains and costs
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
  /** The technique of a paper that is planned: nothing is known yet. */
  static final Technique PLANNED =
      new Technique(List.of(), List.of(), Map.of(), Map.of(), List.of(), "", "", List.of());

  /** Fills what the file leaves out. */
  public Technique {
    use = use == null ? Map.of() : use;
    configuration = configuration == null ? Map.of() : configuration;
    compress = compress == null ? List.of() : compress;
  }

  /** The goals that its results say something about, in the order of {@link Goal}. */
  public List<Goal> goals() {
    return results.stream().map(TableReference::goal).distinct().sorted().toList();
  }
}
