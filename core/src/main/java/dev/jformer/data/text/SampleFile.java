package dev.jformer.data.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads samples to fine-tune on from a JSONL file: an object in each line, with the field {@code
 * messages}, a list of objects with {@code role} and {@code content}, or with {@code prompt} and
 * {@code completion}, or {@code text}, or {@code prompt}, {@code chosen} and {@code rejected}. The
 * last three are strings, or lists of messages; the prompt may then be left out, if both answers
 * begin with it. Other fields and blank lines are left out.
 */
public final class SampleFile {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String EXPECTED =
      "expected the fields messages, or prompt and completion, or text, or prompt, chosen and"
          + " rejected";

  private final String file;
  private int number;

  private SampleFile(String file) {
    this.file = file;
  }

  /**
   * Reads a file, plain or compressed by gzip.
   *
   * @throws DataException if a line is not a sample; the message has its number
   */
  public static List<Sample> read(Path file) {
    return new SampleFile(file.toString()).samples(TextLines.read(file));
  }

  private List<Sample> samples(List<String> lines) {
    List<Sample> samples = new ArrayList<>();
    for (String line : lines) {
      number++;
      if (!line.isBlank()) {
        samples.add(sample(line));
      }
    }
    if (samples.isEmpty()) {
      throw new DataException(file + " has no samples: " + EXPECTED + " in each line");
    }
    return samples;
  }

  private DataException wrong(String what) {
    return new DataException(file + ", line " + number + ": " + what);
  }

  private Sample sample(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw wrong("this is not valid JSON: " + FormatException.oneLine(e.getOriginalMessage()));
    }
    if (!node.isObject()) {
      throw wrong("this is not a JSON object: " + EXPECTED);
    }
    if (node.has("messages")) {
      return conversation("messages", turns("messages", node.get("messages")));
    }
    if (node.has("completion")) {
      return new Sample.Completion(text(node, "prompt", true), text(node, "completion", false));
    }
    if (node.path("chosen").isArray()) {
      return preference(node);
    }
    if (node.has("chosen") || node.has("rejected")) {
      return new Sample.Preference(
          text(node, "prompt", true), text(node, "chosen", false), text(node, "rejected", false));
    }
    if (node.has("text")) {
      return new Sample.Text(text(node, "text", false));
    }
    List<String> fields = new ArrayList<>();
    node.fieldNames().forEachRemaining(name -> fields.add(FormatException.oneLine(name)));
    throw wrong("the object has " + (fields.isEmpty() ? "no fields" : fields) + ": " + EXPECTED);
  }

  /** Two conversations, with the messages of the prompt before each. */
  private Sample preference(JsonNode node) {
    List<Sample.Turn> prompt = node.has("prompt") ? turns("prompt", node.get("prompt")) : List.of();
    Sample.Conversation chosen = answered(prompt, "chosen", node);
    Sample.Conversation rejected = answered(prompt, "rejected", node);
    if (!chosen.messages().get(0).equals(rejected.messages().get(0))) {
      throw wrong(
          "chosen and rejected begin with different messages: expected the same prompt, there or in"
              + " the field prompt");
    }
    return new Sample.ConversationPreference(chosen, rejected);
  }

  private Sample.Conversation answered(List<Sample.Turn> prompt, String field, JsonNode node) {
    List<Sample.Turn> all = new ArrayList<>(prompt);
    all.addAll(turns(field, node.path(field)));
    return conversation(field, all);
  }

  private List<Sample.Turn> turns(String field, JsonNode list) {
    if (!list.isArray() || list.isEmpty()) {
      throw wrong(field + " is no list of messages: expected objects with role and content");
    }
    List<Sample.Turn> turns = new ArrayList<>();
    for (JsonNode message : list) {
      if (!message.path("role").isTextual() || !message.path("content").isTextual()) {
        throw wrong(
            "message "
                + (turns.size() + 1)
                + " has no role and content that are strings: "
                + FormatException.oneLine(message.toString()));
      }
      turns.add(new Sample.Turn(message.get("role").asText(), message.get("content").asText()));
    }
    return turns;
  }

  private Sample.Conversation conversation(String field, List<Sample.Turn> turns) {
    if (!turns.get(turns.size() - 1).role().equals(Sample.Turn.ASSISTANT)) {
      throw wrong(
          (field.equals("messages") ? "" : "in " + field + " ")
              + "the last message is by '"
              + FormatException.oneLine(turns.get(turns.size() - 1).role())
              + "': expected one by '"
              + Sample.Turn.ASSISTANT
              + "', to be learned");
    }
    return new Sample.Conversation(turns, number);
  }

  private String text(JsonNode node, String field, boolean mayBeEmpty) {
    JsonNode value = node.path(field);
    if (!value.isTextual()) {
      throw wrong(
          field
              + (value.isMissingNode()
                  ? " is missing"
                  : " is " + FormatException.oneLine(value.toString()))
              + ": expected a string");
    }
    if (value.textValue().isEmpty() && !mayBeEmpty) {
      throw wrong(field + " is empty: expected at least a character");
    }
    return value.textValue();
  }
}
