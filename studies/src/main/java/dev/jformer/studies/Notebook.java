package dev.jformer.studies;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Remembers measurements in a folder, one JSON file each, so that a study that was interrupted does
 * not measure again. What was measured under other conditions is not taken for this study's.
 */
public final class Notebook {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path folder;
  private final String conditions;
  private final String version;

  /**
   * A notebook.
   *
   * @param folder where the files go; null to remember nothing
   * @param conditions what all measurements have in common, such as scale, text and machine
   * @param version of the program that measures now, which is kept with what it measures
   */
  public Notebook(Path folder, String conditions, String version) {
    this.folder = folder;
    this.conditions = conditions;
    this.version = version;
  }

  /** A measurement, how long it took, and the version of the program that made it. */
  record Entry<R>(R value, double seconds, String version) {}

  /** What is known under a name; null if nothing, or nothing that can be read. */
  <R> Entry<R> recall(String name, Class<R> kind) {
    if (folder == null || !Files.exists(file(name))) {
      return null;
    }
    try {
      JsonNode entry = JSON.readTree(Files.readAllBytes(file(name)));
      if (!entry.path("name").asText().equals(name)
          || !entry.path("conditions").asText().equals(conditions)) {
        return null;
      }
      return new Entry<>(
          JSON.treeToValue(entry.path("value"), kind),
          entry.path("seconds").asDouble(),
          entry.path("version").asText());
    } catch (IOException e) {
      return null; // written by another version: measured again
    }
  }

  /** Keeps a measurement. */
  <R> Entry<R> keep(String name, R value, double seconds) {
    if (folder == null) {
      return new Entry<>(value, seconds, version);
    }
    ObjectNode entry = JSON.createObjectNode();
    entry.put("name", name).put("conditions", conditions).put("seconds", seconds);
    entry.put("version", version);
    entry.set("value", JSON.valueToTree(value));
    try {
      Files.createDirectories(folder);
      AtomicFile.write(file(name), JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(entry));
      FileTree.delete(unfinishedFolder(name));
      return new Entry<>(value, seconds, version);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("'" + name + "' cannot be kept as JSON: " + value, e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot keep '" + name + "' in " + folder, e);
    }
  }

  /**
   * Where something that takes long may keep what it has so far; emptied once it is {@linkplain
   * #keep kept}. Null where nothing is remembered.
   */
  Path unfinished(String name) {
    return folder == null
        ? null
        : unfinishedFolder(name).resolve(Integer.toHexString(conditions.hashCode()));
  }

  /**
   * A folder for files that belong to measurements, such as trained models. It is kept with them; a
   * temporary one where nothing is remembered.
   */
  Path files(String name) {
    try {
      return folder == null
          ? Files.createTempDirectory("jformer-" + name)
          : Files.createDirectories(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder for " + name, e);
    }
  }

  private Path unfinishedFolder(String name) {
    String file = file(name).getFileName().toString();
    return folder.resolve("unfinished-" + file.substring(0, file.length() - ".json".length()));
  }

  /**
   * Forgets all that is known.
   *
   * @throws IOException if a file cannot be deleted
   */
  public void forget() throws IOException {
    if (folder != null) {
      FileTree.delete(folder);
    }
  }

  private Path file(String name) {
    String readable = name.replaceAll("[^A-Za-z0-9.]+", "-");
    String shortened = readable.substring(0, Math.min(80, readable.length()));
    return folder.resolve(shortened + "-" + Integer.toHexString(name.hashCode()) + ".json");
  }
}
