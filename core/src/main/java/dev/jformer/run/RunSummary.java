package dev.jformer.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.config.ConfigException;
import dev.jformer.train.MetricsFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A summary of a run, or of a model derived from one, as its folder tells it.
 *
 * @param folder the folder
 * @param model the family of the model, for example {@code causal-lm}
 * @param data the file or folder of the data
 * @param step number of updates done; 0 for a model that was not trained there
 * @param steps number of updates in all
 * @param metric the name of the primary metric; empty before the first evaluation
 * @param best the best value of the primary metric; NaN before the first evaluation
 * @param changed the time of the last change
 */
public record RunSummary(
    Path folder,
    String model,
    String data,
    long step,
    long steps,
    String metric,
    double best,
    Instant changed) {
  private static final int DEPTH = 3;

  /** Whether all updates are done; a run that stopped early has done fewer. */
  public boolean isComplete() {
    return step == steps;
  }

  /**
   * Finds the runs in a folder and the folders in it, the latest change first. Folders whose recipe
   * cannot be read are left out.
   *
   * @throws RunException if there is no such folder
   */
  public static List<RunSummary> in(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      throw new RunException(folder + " is no folder: expected one that holds the folders of runs");
    }
    List<Path> recipes;
    try (Stream<Path> tree = Files.walk(folder, DEPTH)) {
      recipes = tree.filter(file -> file.endsWith(RunFolder.RECIPE)).toList();
    }
    List<RunSummary> runs = new ArrayList<>();
    for (Path recipe : recipes) {
      read(recipe).ifPresent(runs::add);
    }
    runs.sort(Comparator.comparing(RunSummary::changed).reversed());
    return runs;
  }

  private static Optional<RunSummary> read(Path recipe) throws IOException {
    try {
      return Optional.of(of(recipe.getParent(), Recipe.read(recipe)));
    } catch (ConfigException e) {
      return Optional.empty(); // of another version, or half written
    }
  }

  private static RunSummary of(Path folder, Recipe recipe) throws IOException {
    Path metrics = folder.resolve(RunFolder.METRICS);
    boolean trained = Files.exists(metrics);
    Path newest = trained ? metrics : folder.resolve(RunFolder.RECIPE);
    long step = 0;
    String metric = "";
    double best = Double.NaN;
    for (String line : trained ? Files.readAllLines(metrics) : List.<String>of()) {
      JsonNode node = parsed(line);
      step = Math.max(step, node.path("step").asLong());
      for (Map.Entry<String, JsonNode> field : node.properties()) {
        if (field.getKey().startsWith(MetricsFile.BEST)) {
          String name = field.getKey().substring(MetricsFile.BEST.length());
          metric = name.substring(0, 1).toLowerCase(Locale.ROOT) + name.substring(1);
          best = field.getValue().asDouble();
        }
      }
    }
    return new RunSummary(
        folder,
        recipe.model().type(),
        recipe.data().source(),
        step,
        recipe.training().steps(),
        metric,
        best,
        Files.getLastModifiedTime(newest).toInstant().truncatedTo(ChronoUnit.SECONDS));
  }

  /** The values of a line; none if it is half a line, as a kill may leave. */
  private static JsonNode parsed(String line) {
    JsonMapper json = new JsonMapper();
    try {
      return json.readTree(line);
    } catch (IOException e) {
      return json.createObjectNode();
    }
  }
}
