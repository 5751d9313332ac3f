package dev.jformer.hub;

import dev.jformer.data.jinja.JinjaTemplate;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Turns a conversation into the text that a chat model was trained on, by the Jinja template that
 * comes with the model. The text is that of {@code apply_chat_template} of Hugging Face's
 * transformers.
 *
 * <pre>{@code
 * ChatTemplate template = ChatTemplate.of(model).orElseThrow();
 * String prompt = template.render(List.of(ChatMessage.user("Hello")), true);
 * int[] ids = tokenizer.encode(prompt); // the template has put the tokens before a text
 * }</pre>
 *
 * <p>Known difference: Python escapes HTML in what is added to a text that passed the filter {@code
 * safe}; here that filter changes nothing. Threads may share a template.
 */
public final class ChatTemplate {
  private final String source;
  private final Map<String, String> tokens;
  private final JinjaTemplate template;
  private final Clock clock;

  private ChatTemplate(
      String source, Map<String, String> tokens, JinjaTemplate template, Clock clock) {
    this.source = source;
    this.tokens = tokens;
    this.template = template;
    this.clock = clock;
  }

  /**
   * Reads a template.
   *
   * @param source its text
   * @param tokens texts of special tokens by the names that the template may use, such as {@code
   *     bos_token}
   * @param name what messages call it
   * @throws dev.jformer.data.DataException if the template is not well-formed
   */
  public static ChatTemplate parse(String source, Map<String, String> tokens, String name) {
    return new ChatTemplate(
        source,
        new TreeMap<>(tokens),
        JinjaTemplate.parse(source, name),
        Clock.system(ZoneId.systemDefault()));
  }

  /**
   * The template of a model: {@code chat_template.jinja}, or else {@code chat_template} of {@code
   * chat_template.json} or {@code tokenizer_config.json}; {@code tokenizer.chat_template} of a GGUF
   * file.
   *
   * @param model the folder of a model, or its GGUF file
   * @return empty if it has none
   * @throws dev.jformer.data.DataException if the template is not well-formed
   * @throws dev.jformer.config.ConfigException if a file that should hold it is damaged
   */
  public static Optional<ChatTemplate> of(Path model) throws IOException {
    return ChatFiles.read(model);
  }

  /** The same template at the time of another clock, for templates that write the date. */
  public ChatTemplate withClock(Clock newClock) {
    return new ChatTemplate(source, tokens, template, newClock);
  }

  /**
   * The text of a conversation.
   *
   * @param addGenerationPrompt whether the beginning of an answer follows, for the model to
   *     continue
   * @throws dev.jformer.data.DataException if the template refuses the conversation, such as one
   *     that does not alternate between user and assistant, or fails
   */
  public String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
    return render(messages, addGenerationPrompt, Map.of());
  }

  /**
   * The text of a conversation, with other variables of the template.
   *
   * @param variables such as {@code enable_thinking}: texts, numbers, booleans, lists and maps
   * @see #render(List, boolean)
   */
  public String render(
      List<ChatMessage> messages, boolean addGenerationPrompt, Map<String, ?> variables) {
    List<Map<String, String>> conversation = new ArrayList<>();
    for (ChatMessage message : messages) {
      Map<String, String> fields = new LinkedHashMap<>();
      fields.put("role", message.role());
      fields.put("content", message.content());
      conversation.add(fields);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("messages", conversation);
    all.put("tools", null);
    all.put("documents", null);
    all.put("add_generation_prompt", addGenerationPrompt);
    all.putAll(tokens);
    all.putAll(variables);
    return template.render(all, clock);
  }

  /** The text of the template itself. */
  public String source() {
    return source;
  }

  /** The texts of special tokens by name, such as {@code bos_token}. */
  public Map<String, String> tokens() {
    return Map.copyOf(tokens);
  }
}
