package dev.jformer.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The small files beside a Hugging Face model that say how it is used: when a text ends, how a
 * conversation becomes a text, how sentences become vectors.
 */
public final class SideFiles {
  static final String GENERATION = "generation_config.json";
  static final String MODULES = "modules.json";
  static final String SENTENCE_PROMPTS = "config_sentence_transformers.json";
  static final String SENTENCE_BERT = "sentence_bert_config.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";

  private static final long LONGEST = 16 << 20;

  private SideFiles() {}

  /**
   * Copies the side files of a model to the folder of a model that was derived from it, so that
   * both are used in the same way.
   *
   * @param from the folder of the original, or its ONNX or GGUF file
   * @param to an existing folder
   */
  public static void copy(Path from, Path to) throws IOException {
    copyGeneration(from, to);
    if (!GgufFile.isNamed(from)) { // files beside it may belong to another model
      SentenceSettings.copy(folder(from), to);
    }
  }

  /** Copies the side files unless the folder has them: for folders that are written repeatedly. */
  public static void copyMissing(Path from, Path to) throws IOException {
    if (!Files.exists(to.resolve(MODULES))) {
      copy(from, to);
    }
    copyGeneration(from, to);
  }

  /**
   * Copies what says how texts are generated: when one ends, and the template of conversations.
   * What the folder has is kept.
   */
  public static void copyGeneration(Path from, Path to) throws IOException {
    copyEnds(from, to);
    copyChatTemplate(from, to);
  }

  /** Copies the template of conversations of a model that has one, unless the folder has one. */
  public static void copyChatTemplate(Path from, Path to) throws IOException {
    ChatFiles.copy(from, to);
  }

  private static void copyEnds(Path model, Path to) throws IOException {
    Path from = AdapterPlace.holding(model, List.of(GENERATION));
    Path made = to.resolve(GENERATION);
    if (Files.exists(made)) {
      return;
    }
    if (GgufFile.isNamed(from)) {
      ObjectNode ends = new JsonMapper().createObjectNode();
      GgufStops.read(from).forEach(ends.putArray(StopTokens.FIELD)::add);
      AtomicFile.write(made, Models.utf8(ends.toPrettyString() + "\n"));
      return;
    }
    Path file = folder(from).resolve(GENERATION);
    if (Files.isRegularFile(file)) {
      AtomicFile.write(made, Files.readAllBytes(file));
      return;
    }
    JsonNode end = read(folder(from).resolve(Models.CONFIG)).path(StopTokens.FIELD);
    if (!end.isMissingNode() && !end.isNull()) {
      JsonNode kept = new JsonMapper().createObjectNode().set(StopTokens.FIELD, end);
      AtomicFile.write(made, Models.utf8(kept.toPrettyString() + "\n"));
    }
  }

  private static Path folder(Path model) {
    return model.toString().endsWith(".onnx") || GgufFile.isNamed(model)
        ? model.toAbsolutePath().getParent()
        : model;
  }

  /**
   * Reads a small JSON file.
   *
   * @return a missing node if there is no such file
   * @throws ConfigException if it is too large or is not JSON
   */
  static JsonNode read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      return MissingNode.getInstance();
    }
    if (Files.size(file) > LONGEST) {
      throw new ConfigException(
          file + " has " + Files.size(file) + " bytes: expected at most " + LONGEST);
    }
    try {
      return new JsonMapper().readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new ConfigException(
          file + " is not valid JSON: " + FormatException.oneLine(e.getOriginalMessage()), e);
    }
  }

  /** Copies files that exist. */
  static void copy(Path from, Path to, List<String> names) throws IOException {
    for (String name : names) {
      if (Files.isRegularFile(from.resolve(name))) {
        Files.createDirectories(to.resolve(name).getParent());
        Files.copy(from.resolve(name), to.resolve(name));
      }
    }
  }
}
