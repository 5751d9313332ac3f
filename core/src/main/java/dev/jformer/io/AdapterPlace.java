package dev.jformer.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A folder with an adapter, which is of use only together with the model that it belongs to: the
 * files that say where that is.
 */
public final class AdapterPlace {
  /** Our file about the model that an adapter belongs to. */
  public static final String BASE = "adapter_base.json";

  /** PEFT's file about an adapter. */
  public static final String CONFIG = "adapter_config.json";

  private static final String MODEL = "config.json";
  private static final long LONGEST = 16 << 20;

  private AdapterPlace() {}

  /** Whether a folder holds an adapter, not a model. */
  public static boolean is(Path folder) {
    return Files.isRegularFile(folder.resolve(CONFIG)) && !Files.exists(folder.resolve(MODEL));
  }

  /**
   * Finds the folder or file of the model that an adapter belongs to: by {@link #BASE}, or else by
   * the field {@code base_model_name_or_path} of {@link #CONFIG}. A path that does not exist is
   * looked for beside the adapter, by its last name.
   *
   * @return empty if the folder holds no adapter
   * @throws FormatException if it does not say where its model is, or there is none, or it is an
   *     adapter that belongs to this one
   */
  public static Optional<Path> base(Path folder) {
    Optional<Path> base = named(folder);
    Set<Path> seen = new HashSet<>();
    for (Optional<Path> next = base; next.isPresent(); next = named(next.get())) {
      if (!seen.add(next.get().toAbsolutePath().normalize())) {
        throw new FormatException(
            folder
                + " holds an adapter whose model is an adapter again, and so on without end: set"
                + " base_model_name_or_path in its "
                + CONFIG
                + " to the folder of a model");
      }
    }
    return base;
  }

  /**
   * Where files that say how a model is used stand: in its folder, or if that holds an adapter and
   * none of the files, with the model that the adapter belongs to.
   *
   * @param model a folder, or the file of a model
   */
  public static Path holding(Path model, List<String> files) {
    boolean without =
        is(model) && files.stream().noneMatch(file -> Files.exists(model.resolve(file)));
    return without ? holding(base(model).orElseThrow(), files) : model;
  }

  private static Optional<Path> named(Path folder) {
    if (!is(folder)) {
      return Optional.empty();
    }
    JsonNode ours = read(folder.resolve(BASE)).path("folder");
    JsonNode theirs = read(folder.resolve(CONFIG)).path("base_model_name_or_path");
    String named = ours.isTextual() ? ours.textValue() : theirs.asText("");
    if (named.isEmpty() || theirs.isNull()) {
      throw new FormatException(
          folder
              + " holds an adapter that does not say which model it belongs to: set"
              + " base_model_name_or_path in its "
              + CONFIG
              + " to the model's folder");
    }
    return Optional.of(existing(folder.toAbsolutePath(), named));
  }

  private static Path existing(Path adapter, String named) {
    try {
      Path place = adapter.resolve(named).normalize();
      Path beside = adapter.resolveSibling(place.getFileName());
      for (Path candidate : List.of(place, beside)) {
        if (Files.exists(candidate) && !candidate.equals(adapter.normalize())) {
          return candidate;
        }
      }
    } catch (InvalidPathException e) {
      // it is the name of a model on a hub
    }
    throw new FormatException(
        "the adapter in "
            + adapter
            + " belongs to the model "
            + FormatException.quote(named)
            + ", which does not exist here: put it beside the adapter, or set"
            + " base_model_name_or_path in "
            + CONFIG
            + " (and folder in "
            + BASE
            + ", if there is one) to its folder");
  }

  private static JsonNode read(Path file) {
    try {
      if (!Files.isRegularFile(file)) {
        return MissingNode.getInstance();
      }
      if (Files.size(file) > LONGEST) {
        throw new FormatException(file + " has more than " + LONGEST + " bytes");
      }
      return new JsonMapper().readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new FormatException(
          file + " is not valid JSON: " + FormatException.oneLine(e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new FormatException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }
}
