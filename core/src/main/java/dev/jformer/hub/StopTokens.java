package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.io.AdapterPlace;
import dev.jformer.io.FormatException;
import dev.jformer.io.gguf.GgufFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds the tokens that end a generated text. Chat models have several: the end of a document and
 * the end of a turn.
 */
public final class StopTokens {
  static final String FIELD = "eos_token_id";

  private StopTokens() {}

  /**
   * The tokens that end a text of the model in a folder: {@code eos_token_id}, a number or a list,
   * of {@code generation_config.json}, or else of a Hugging Face {@code config.json}, or else what
   * the tokenizer says; those of a GGUF file. An adapter without such a file has those of its
   * model. Empty if nothing ends a text.
   *
   * @throws ConfigException if {@code eos_token_id} is neither a number nor a list of numbers
   */
  public static Set<Integer> of(Path model, Tokenizer tokenizer) throws IOException {
    Path folder = AdapterPlace.holding(model, List.of(SideFiles.GENERATION));
    if (GgufFile.isNamed(folder)) {
      return GgufStops.read(folder);
    }
    for (String name : List.of(SideFiles.GENERATION, Models.CONFIG)) {
      Path file = folder.resolve(name);
      JsonNode given = SideFiles.read(file).path(FIELD);
      if (!given.isMissingNode() && !given.isNull()) {
        return ids(file, given);
      }
    }
    return tokenizer.endOfText().isPresent() ? Set.of(tokenizer.endOfText().getAsInt()) : Set.of();
  }

  /**
   * The tokens with which a chat template ends an answer: of the usual ones and the end of a text,
   * those that it writes after an answer. Not all models name them.
   */
  public static Set<Integer> ofTurn(ChatTemplate template, Tokenizer tokenizer) {
    String answer = "An answer.";
    List<ChatMessage> talk =
        List.of(ChatMessage.user("A question."), ChatMessage.assistant(answer));
    String after = after(template, talk, answer);
    Set<String> tokens = new TreeSet<>(GgufStops.TURN_ENDS);
    if (template.tokens().containsKey("eos_token")) {
      tokens.add(template.tokens().get("eos_token"));
    }
    Set<Integer> ids = new TreeSet<>();
    for (String token : tokens) {
      if (after.contains(token)) {
        tokenizer.id(token).ifPresent(ids::add);
      }
    }
    return ids;
  }

  /** What a template writes after an answer; nothing if it refuses the conversation. */
  private static String after(ChatTemplate template, List<ChatMessage> talk, String answer) {
    try {
      String text = template.render(talk, false);
      int at = text.lastIndexOf(answer);
      return at < 0 ? "" : text.substring(at + answer.length());
    } catch (DataException e) {
      return "";
    }
  }

  private static Set<Integer> ids(Path file, JsonNode given) {
    Set<Integer> ids = new TreeSet<>();
    for (JsonNode id : given.isArray() ? given : List.of(given)) {
      if (!id.canConvertToExactIntegral() || !id.canConvertToInt()) {
        throw new ConfigException(
            file
                + ": "
                + FIELD
                + " is "
                + FormatException.oneLine(given.toString())
                + ": expected the number of a token, or a list of numbers");
      }
      ids.add(id.intValue());
    }
    return ids;
  }
}
