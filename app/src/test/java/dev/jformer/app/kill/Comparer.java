package dev.jformer.app.kill;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Compares what a killed and continued command leaves with what one leaves that was not killed. */
final class Comparer {
  private static final JsonMapper JSON = new JsonMapper();

  /** Fields that are measured times, or tell how much memory there was. */
  private static final List<String> MEASURED =
      List.of("seconds", "firstSeconds", "unitsPerSecond", "peakBytes", "marks");

  private static final Pattern STEP = Pattern.compile("(.*checkpoints/)step-(\\d+)/(.*)");

  /** Reports are made from the measurements, which are compared themselves. */
  private static final Pattern REPORT =
      Pattern.compile("(.*/)?report\\.html|(compare|studies/smoke/urpe)(-\\d)?\\.[a-z]+");

  /** Measured speeds. */
  private static final Pattern SPEED = Pattern.compile("notes/(training-)?speeds?-of-.*");

  private final Path reference;
  private final Path found;
  private final List<String> differences = new ArrayList<>();

  private Comparer(Path reference, Path found) {
    this.reference = reference;
    this.found = found;
  }

  /**
   * The differences in words; none if all is the same.
   *
   * @param reference where a command worked that was not killed
   * @param found where the other one worked
   * @param result the folder that is compared, in both
   */
  static List<String> differences(Path reference, Path found, String result) throws IOException {
    Comparer comparer = new Comparer(reference, found);
    comparer.compare(result);
    return comparer.differences;
  }

  private void compare(String result) throws IOException {
    Map<String, Path> expected = files(reference.resolve(result));
    Map<String, Path> files = files(found.resolve(result));
    for (String name : expected.keySet()) {
      if (!files.containsKey(name)) {
        differences.add(name + " is missing");
      }
    }
    for (Map.Entry<String, Path> file : files.entrySet()) {
      String name = file.getKey();
      if (!expected.containsKey(name)) {
        differences.add("stray file " + name);
      } else if (!same(name, expected.get(name), file.getValue())) {
        differences.add(name + " differs");
      }
    }
  }

  /** Files by name; checkpoints are named by their order, because kills decide on which step. */
  private static Map<String, Path> files(Path folder) throws IOException {
    Map<String, Path> files = new TreeMap<>();
    try (Stream<Path> tree = Files.walk(folder)) {
      List<Path> all = tree.filter(path -> !path.equals(folder)).toList();
      for (Path path : all) {
        String name = folder.relativize(path).toString().replace('\\', '/');
        var step = STEP.matcher(name);
        if (step.matches()) {
          long later =
              all.stream()
                  .filter(other -> other.getParent().equals(path.getParent().getParent()))
                  .filter(other -> other.getFileName().toString().startsWith("step-"))
                  .filter(other -> other.compareTo(path.getParent()) > 0)
                  .count();
          name = step.group(1) + "newest-but-" + later + "/" + step.group(3);
        }
        if (Files.isRegularFile(path)) {
          files.put(name, path);
        } else if (isEmpty(path)) {
          files.put(name + "/", path);
        }
      }
    }
    return files;
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.findAny().isEmpty();
    }
  }

  private boolean same(String name, Path one, Path other) throws IOException {
    if (name.endsWith("/") || name.contains("newest-but-1/") || REPORT.matcher(name).matches()) {
      return true; // of another step, or with times
    }
    if (SPEED.matcher(name).matches()) {
      return true;
    }
    if (name.endsWith("metrics.jsonl")) {
      return lines(one).equals(lines(other));
    }
    if (name.endsWith(".json") && Files.mismatch(one, other) >= 0) {
      String there = Files.readString(other).replace(found.toString(), reference.toString());
      return withoutTimes(JSON.readTree(one.toFile())).equals(withoutTimes(JSON.readTree(there)));
    }
    return Files.mismatch(one, other) < 0;
  }

  private static List<JsonNode> lines(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      lines.add(withoutTimes(JSON.readTree(line)));
    }
    return lines;
  }

  private static JsonNode withoutTimes(JsonNode node) {
    if (node instanceof ObjectNode object) {
      object.remove(MEASURED);
    }
    node.forEach(Comparer::withoutTimes);
    return node;
  }
}
