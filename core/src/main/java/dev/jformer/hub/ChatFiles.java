package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Where models keep their chat template and the texts of the tokens that it writes. */
final class ChatFiles {
  static final String TEMPLATE = "chat_template.jinja";
  static final String TEMPLATE_JSON = "chat_template.json";
  static final String TOKENS = "special_tokens_map.json";
  static final String FIELD = "chat_template";

  static final String GGUF_TEMPLATE = "tokenizer.chat_template";
  private static final String GGUF_PREFIX = "tokenizer.ggml.";
  private static final long LONGEST = 16 << 20;

  /** Our names of special tokens, and GGUF's names of their ids. */
  private static final Map<String, String> SPECIAL =
      Map.of(
          "bos_token", "bos_token_id",
          "eos_token", "eos_token_id",
          "unk_token", "unknown_token_id",
          "sep_token", "seperator_token_id",
          "pad_token", "padding_token_id",
          "cls_token", "cls_token_id",
          "mask_token", "mask_token_id");

  private ChatFiles() {}

  /**
   * A template as it stands in a file.
   *
   * @param place where it stands, for messages
   */
  private record Found(String source, Map<String, String> tokens, String place) {}

  /** The template of a model, if it has one. */
  static Optional<ChatTemplate> read(Path model) throws IOException {
    Found found = find(model);
    return found == null
        ? Optional.empty()
        : Optional.of(ChatTemplate.parse(found.source(), found.tokens(), found.place()));
  }

  /** Finds the template of a model; null if it has none. An adapter has that of its model. */
  private static Found find(Path model) throws IOException {
    Found own = own(model);
    return own == null && AdapterPlace.is(model)
        ? find(AdapterPlace.base(model).orElseThrow())
        : own;
  }

  private static Found own(Path model) throws IOException {
    if (GgufFile.isNamed(model)) {
      try (GgufFile file = GgufFile.open(model)) {
        return find(model, file.metadata());
      }
    }
    if (!Files.isDirectory(model)) {
      return null;
    }
    JsonNode config = SideFiles.read(model.resolve(SideFiles.TOKENIZER_CONFIG));
    Map<String, String> tokens = tokens(SideFiles.read(model.resolve(TOKENS)), config);
    Path file = model.resolve(TEMPLATE);
    if (Files.isRegularFile(file)) {
      if (Files.size(file) > LONGEST) {
        throw new ConfigException(
            file + " has " + Files.size(file) + " bytes: expected at most " + LONGEST);
      }
      String source = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
      return new Found(source, tokens, file.toString());
    }
    for (String name : List.of(TEMPLATE_JSON, SideFiles.TOKENIZER_CONFIG)) {
      Path json = model.resolve(name);
      JsonNode given = SideFiles.read(json).path(FIELD);
      if (!given.isMissingNode() && !given.isNull()) {
        return new Found(source(json, given), tokens, FIELD + " of " + json);
      }
    }
    return null;
  }

  /** A template that is given as a text, or as the one named {@code default} of several. */
  private static String source(Path file, JsonNode given) {
    if (given.isTextual()) {
      return given.textValue();
    }
    for (JsonNode one : given) {
      if (one.path("name").asText().equals("default") && one.path("template").isTextual()) {
        return one.path("template").textValue();
      }
    }
    throw new ConfigException(
        file
            + ": "
            + FIELD
            + " is neither a text nor a list with a template named 'default': write the template"
            + " that is meant into "
            + TEMPLATE
            + " beside it");
  }

  /** The texts of special tokens; later nodes win. */
  private static Map<String, String> tokens(JsonNode... nodes) {
    Map<String, String> tokens = new TreeMap<>();
    for (JsonNode node : nodes) {
      for (String name : SPECIAL.keySet()) {
        JsonNode given = node.path(name);
        JsonNode text = given.isObject() ? given.path("content") : given;
        if (text.isTextual()) {
          tokens.put(name, text.textValue());
        }
      }
    }
    return tokens;
  }

  private static Found find(Path path, GgufMetadata metadata) {
    if (!metadata.has(GGUF_TEMPLATE)) {
      return null;
    }
    List<String> texts = metadata.strings(GGUF_PREFIX + "tokens");
    Map<String, String> tokens = new TreeMap<>();
    SPECIAL.forEach(
        (name, key) -> {
          int id = metadata.id(GGUF_PREFIX + key);
          if (id >= 0 && id < texts.size()) {
            tokens.put(name, texts.get(id));
          }
        });
    return new Found(metadata.text(GGUF_TEMPLATE), tokens, GGUF_TEMPLATE + " of " + path);
  }

  /**
   * Copies the template of a model as it is, and the texts of its tokens, unless the folder has
   * one.
   */
  static void copy(Path from, Path to) throws IOException {
    if (Files.exists(to.resolve(TEMPLATE))) {
      return;
    }
    Found found = find(from);
    if (found == null) {
      return;
    }
    AtomicFile.write(to.resolve(TEMPLATE), Models.utf8(found.source()));
    if (!Files.exists(to.resolve(TOKENS))) {
      ObjectNode tokens = new JsonMapper().createObjectNode();
      found.tokens().forEach(tokens::put);
      AtomicFile.write(to.resolve(TOKENS), Models.utf8(tokens.toPrettyString() + "\n"));
    }
  }
}
