package dev.jformer.data.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * Applies a {@code tokenizer_config.json} to the {@code tokenizer.json} beside it, as transformers'
 * tokenizer classes do: where the two disagree, the settings win.
 */
final class TokenizerSettings {
  /** Fields of the settings, and of the normalizer that follows them. */
  private static final Map<String, String> BERT =
      Map.of(
          "do_lower_case", "lowercase",
          "strip_accents", "strip_accents",
          "tokenize_chinese_chars", "handle_chinese_chars");

  private TokenizerSettings() {}

  /** Changes a tokenizer's tree where the settings differ; returns whether it was changed. */
  static boolean apply(ObjectNode root, JsonNode settings) {
    String name = settings.path("tokenizer_class").asText("").replace("Fast", "");
    if (name.equals("PreTrainedTokenizer")) {
      return false; // the class of files that stand for themselves
    }
    boolean changed = normalizer(root.path("normalizer"), settings);
    return switch (name) {
      case "LlamaTokenizer", "CodeLlamaTokenizer" ->
          around(root, settings, "<s>", "</s>") || changed;
      case "GemmaTokenizer" -> around(root, settings, "<bos>", "<eos>") || changed;
      default -> changed;
    };
  }

  private static boolean normalizer(JsonNode node, JsonNode settings) {
    boolean changed = false;
    for (JsonNode part : node.path("normalizers")) {
      changed |= normalizer(part, settings);
    }
    if (!node.path("type").asText().equals("BertNormalizer")) {
      return changed;
    }
    for (Map.Entry<String, String> field : BERT.entrySet()) {
      JsonNode given = settings.path(field.getKey());
      if (given.isBoolean() && !given.equals(node.get(field.getValue()))) {
        ((ObjectNode) node).set(field.getValue(), given);
        changed = true;
      }
    }
    return changed;
  }

  /** Llama's class ignores the file's post-processor and makes one of its own. */
  private static boolean around(ObjectNode root, JsonNode settings, String begin, String end) {
    ObjectNode template = root.objectNode();
    template.put("type", "TemplateProcessing");
    ArrayNode single = template.putArray("single");
    ArrayNode pair = template.putArray("pair");
    ObjectNode special = template.putObject("special_tokens");
    boolean complete =
        !settings.path("add_bos_token").asBoolean(true)
            || token(root, text(settings.path("bos_token"), begin), single, special);
    single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
    complete &=
        !settings.path("add_eos_token").asBoolean(false)
            || token(root, text(settings.path("eos_token"), end), single, special);
    pair.addAll(single);
    pair.addObject().putObject("Sequence").put("id", "B").put("type_id", 1);
    if (!complete || template.equals(root.get("post_processor"))) {
      return false;
    }
    root.set("post_processor", template);
    return true;
  }

  private static String text(JsonNode token, String fallback) {
    return token.isTextual() ? token.asText() : token.path("content").asText(fallback);
  }

  private static boolean token(ObjectNode root, String text, ArrayNode single, ObjectNode special) {
    for (JsonNode added : root.path("added_tokens")) {
      if (added.path("content").asText().equals(text)) {
        single.addObject().putObject("SpecialToken").put("id", text).put("type_id", 0);
        ObjectNode entry = special.putObject(text);
        entry.put("id", text);
        entry.putArray("ids").add(added.path("id"));
        entry.putArray("tokens").add(text);
        return true;
      }
    }
    return false;
  }
}
