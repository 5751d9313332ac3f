package dev.jformer.studies;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FileTree;
import dev.jformer.io.FolderLock;
import dev.jformer.io.TemporaryFolder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Saves measurements in a folder, one JSON file each, so that an interrupted study does not measure
 * again. Measurements made under other conditions are not used.
 */
public final class Notebook {
  private static final JsonMapper JSON = new JsonMapper();

  private static final String UNFINISHED = "unfinished-";
  private static final String JSON_ENDING = ".json";

  private final Path folder;
  private final String conditions;
  private final String version;

  /**
   * Creates a notebook.
   *
   * @param folder of the files; null to save nothing
   * @param conditions that all measurements share, such as scale, text and machine
   * @param version of the program that measures now, which is saved with each measurement
   */
  public Notebook(Path folder, String conditions, String version) {
    this.folder = folder;
    this.conditions = conditions;
    this.version = version;
  }

  /** A saved measurement, with the time it took and the version of the program that made it. */
  record Entry<R>(R value, double seconds, String version) {}

  /** The type of saved values, with its type arguments if it has any. */
  static JavaType type(Class<?> kind, Class<?>... arguments) {
    return JSON.getTypeFactory().constructParametricType(kind, arguments);
  }

  /** Returns the measurement saved under a name; null if there is none or it cannot be read. */
  <R> Entry<R> recall(String name, JavaType kind) {
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

  /** Saves a measurement. */
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
   * Returns the folder for checkpoints of a long measurement; deleted when the measurement is
   * {@linkplain #keep saved}. Null if nothing is saved.
   */
  Path unfinished(String name) {
    return folder == null
        ? null
        : unfinishedFolder(name).resolve(Integer.toHexString(conditions.hashCode()));
  }

  /**
   * Returns the folder for files that belong to measurements, such as trained models; a temporary
   * folder if nothing is saved.
   */
  Path files(String name) {
    try {
      return folder == null
          ? TemporaryFolder.create(name).path() // deleted when the process ends
          : Files.createDirectories(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot make a folder for " + name, e);
    }
  }

  private Path unfinishedFolder(String name) {
    String file = file(name).getFileName().toString();
    return folder.resolve(UNFINISHED + file.substring(0, file.length() - JSON_ENDING.length()));
  }

  /**
   * Deletes what killed processes left: temporary files, and the checkpoints of measurements that
   * have been saved. No other process may use the folder.
   */
  public void tidy() throws IOException {
    if (folder == null || !Files.isDirectory(folder)) {
      return;
    }
    AtomicFile.sweep(folder);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, UNFINISHED + "*")) {
      for (Path unfinished : left) {
        String name = unfinished.getFileName().toString().substring(UNFINISHED.length());
        Path saved = folder.resolve(name + JSON_ENDING);
        if (Files.exists(saved) && isOfTheseConditions(saved)) {
          FileTree.delete(unfinished);
        }
      }
    }
  }

  private boolean isOfTheseConditions(Path saved) throws IOException {
    try {
      JsonNode entry = JSON.readTree(Files.readAllBytes(saved));
      return entry.path("conditions").asText().equals(conditions);
    } catch (JsonProcessingException e) {
      return false;
    }
  }

  /**
   * Deletes all measurements.
   *
   * @throws IOException if a file cannot be deleted
   */
  public void forget() throws IOException {
    if (folder == null || !Files.isDirectory(folder)) {
      return;
    }
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      for (Path entry : entries) {
        if (!entry.endsWith(FolderLock.FILE)) {
          FileTree.delete(entry);
        }
      }
    }
  }

  private Path file(String name) {
    String readable = name.replaceAll("[^A-Za-z0-9.]+", "-");
    String shortened = readable.substring(0, Math.min(80, readable.length()));
    return folder.resolve(shortened + "-" + Integer.toHexString(name.hashCode()) + JSON_ENDING);
  }
}
