package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How an encoder embeds sentences, as the files of sentence-transformers say: {@code modules.json},
 * the pooling's {@code config.json}, {@code sentence_bert_config.json} and {@code
 * config_sentence_transformers.json}.
 *
 * @param transformer the folder of the encoder within the model's folder; empty if it is the same
 * @param pooling how tokens become one vector; several are joined
 * @param normalized whether vectors are scaled to length 1
 * @param longest the most tokens of a text; 0 for as many as the model reads
 * @param lowercase whether texts are turned to lower case before they are tokenized
 * @param prompts texts to put before a text, by the name of their use
 * @param usualPrompt the name of the prompt that is taken if none is named; empty for none
 * @param promptPooled whether the tokens of a prompt count in the pooling
 */
record SentenceSettings(
    String transformer,
    List<SentencePooling> pooling,
    boolean normalized,
    int longest,
    boolean lowercase,
    Map<String, String> prompts,
    String usualPrompt,
    boolean promptPooled) {
  /** What Sentence-BERT does: the mean, scaled to length 1. */
  static final SentenceSettings USUAL =
      new SentenceSettings("", List.of(SentencePooling.MEAN), true, 0, false, Map.of(), "", true);

  private static final String CONFIG = "config.json";

  /**
   * Reads the settings of a model.
   *
   * @param folder its folder, or an ONNX file in it
   * @return {@link #USUAL} if there is no {@code modules.json}
   * @throws ConfigException if they ask for something that is not supported
   */
  static SentenceSettings read(Path folder) throws IOException {
    Path place = folder.toString().endsWith(".onnx") ? folder.toAbsolutePath().getParent() : folder;
    Path file = place.resolve(SideFiles.MODULES);
    JsonNode modules = SideFiles.read(file);
    if (modules.isMissingNode()) {
      return USUAL;
    }
    try {
      return read(place, modules);
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  private static SentenceSettings read(Path folder, JsonNode modules) throws IOException {
    String transformer = "";
    List<SentencePooling> pooling = List.of(SentencePooling.MEAN);
    boolean promptPooled = true;
    boolean normalized = false;
    for (JsonNode module : modules) {
      String type = module.path("type").asText();
      String path = module.path("path").asText();
      inside(path);
      switch (type.substring(type.lastIndexOf('.') + 1)) {
        case "Transformer" -> transformer = path;
        case "Pooling" -> {
          JsonNode config = SideFiles.read(folder.resolve(path).resolve(CONFIG));
          pooling = pooling(config);
          promptPooled = config.path("include_prompt").asBoolean(true);
        }
        case "Normalize" -> normalized = true;
        default ->
            throw new ConfigException(
                "the module "
                    + FormatException.quote(type)
                    + " is not supported: only Transformer, Pooling and Normalize are");
      }
    }
    JsonNode limits = SideFiles.read(folder.resolve(transformer).resolve(SideFiles.SENTENCE_BERT));
    JsonNode prompts = SideFiles.read(folder.resolve(SideFiles.SENTENCE_PROMPTS));
    Map<String, String> texts = new LinkedHashMap<>();
    prompts
        .path("prompts")
        .properties()
        .forEach(entry -> texts.put(entry.getKey(), entry.getValue().asText()));
    JsonNode usual = prompts.path("default_prompt_name");
    return new SentenceSettings(
        transformer,
        pooling,
        normalized,
        longest(folder.resolve(transformer), limits),
        limits.path("do_lower_case").asBoolean(false),
        texts,
        usual.isTextual() ? usual.asText() : "",
        promptPooled);
  }

  /** A module lies within the model's folder: other paths could read any file. */
  private static void inside(String path) {
    Path relative = Path.of(path).normalize();
    if (relative.isAbsolute() || relative.startsWith("..")) {
      throw new ConfigException(
          "path is " + FormatException.quote(path) + ": expected a folder within the model's");
    }
  }

  private static List<SentencePooling> pooling(JsonNode config) {
    JsonNode mode = config.path("pooling_mode");
    if (mode.isTextual() || mode.isArray()) {
      List<SentencePooling> named = new ArrayList<>();
      for (JsonNode name : mode.isArray() ? mode : List.of(mode)) {
        named.add(SentencePooling.named(name.asText()));
      }
      if (!named.isEmpty()) {
        return named;
      }
    }
    List<SentencePooling> ways =
        Stream.of(SentencePooling.values())
            .filter(way -> config.path(way.field()).asBoolean(false))
            .toList();
    return ways.isEmpty() ? List.of(SentencePooling.MEAN) : ways;
  }

  private static int longest(Path folder, JsonNode limits) throws IOException {
    JsonNode given = limits.path("max_seq_length");
    if (given.isMissingNode() || given.isNull()) {
      double most =
          SideFiles.read(folder.resolve(SideFiles.TOKENIZER_CONFIG))
              .path("model_max_length")
              .asDouble(0);
      return most >= 1 && most < Integer.MAX_VALUE ? (int) most : 0; // "no limit" is 1e30
    }
    if (!given.canConvertToInt() || given.intValue() < 1) {
      throw new ConfigException(
          "max_seq_length is "
              + FormatException.oneLine(given.toString())
              + ": expected a number of tokens, at least 1");
    }
    return given.intValue();
  }

  /**
   * The text that a prompt puts before texts.
   *
   * @param name of the prompt; null for the usual one
   * @throws IllegalArgumentException if there is no prompt of this name
   */
  String prompt(String name) {
    String wanted = name == null ? usualPrompt : name;
    if (wanted.isEmpty()) {
      return "";
    }
    String text = prompts.get(wanted);
    if (text == null) {
      throw new IllegalArgumentException(
          "the model has no prompt '"
              + wanted
              + "': "
              + (prompts.isEmpty()
                  ? "it has none"
                  : "expected one of " + String.join(", ", prompts.keySet())));
    }
    return text;
  }

  /**
   * Returns these settings with another pooling.
   *
   * @param named its name, or several with a plus between
   * @throws IllegalArgumentException if there is no pooling of a name
   */
  SentenceSettings withPooling(String named) {
    List<SentencePooling> ways = new ArrayList<>();
    for (String name : named.split("\\+", -1)) {
      SentencePooling way =
          SentencePooling.find(name)
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "there is no pooling '"
                              + name
                              + "': expected one of "
                              + SentencePooling.names()));
      ways.add(way);
    }
    return new SentenceSettings(
        transformer, ways, normalized, longest, lowercase, prompts, usualPrompt, promptPooled);
  }

  /** Copies the files that these settings are read from. */
  static void copy(Path from, Path to) throws IOException {
    JsonNode modules = SideFiles.read(from.resolve(SideFiles.MODULES));
    if (modules.isMissingNode()) {
      return;
    }
    List<String> files = new ArrayList<>(List.of(SideFiles.MODULES, SideFiles.SENTENCE_PROMPTS));
    files.add(SideFiles.SENTENCE_BERT);
    for (JsonNode module : modules) {
      String path = module.path("path").asText();
      if (!path.isEmpty()) {
        inside(path);
        files.add(path + "/" + CONFIG);
      }
    }
    SideFiles.copy(from, to, files);
  }
}
