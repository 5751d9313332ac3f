package dev.jformer.hub;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.ConfigException;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import dev.jformer.io.gguf.GgufType;
import dev.jformer.io.gguf.GgufWriter;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(Scoped.class)
class ChatTemplateTest {
  private static final String SOURCE =
      """
      {{ bos_token }}{% for m in messages %}
      <|{{ m.role }}|>{{ m.content }}{{ eos_token }}
      {% endfor %}
      {% if add_generation_prompt %}<|assistant|>{% endif %}
      """;
  private static final List<ChatMessage> TALK =
      List.of(ChatMessage.system("Be {{ brief }}."), ChatMessage.user(" Hi\n"));
  private static final String TEXT = "<s><|system|>Be {{ brief }}.</s>\n<|user|> Hi\n</s>\n";

  @TempDir Path folder;

  private void write(String name, String content) throws IOException {
    Files.writeString(folder.resolve(name), content);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\n", "\\n") + '"';
  }

  private String rendered() throws IOException {
    return ChatTemplate.of(folder).orElseThrow().render(TALK, false);
  }

  @Test
  void aModelWithoutTemplateHasNone() throws IOException {
    assertEquals(Optional.empty(), ChatTemplate.of(folder));
    write("tokenizer_config.json", "{\"eos_token\": \"</s>\", \"chat_template\": null}");
    assertEquals(Optional.empty(), ChatTemplate.of(folder));
  }

  @Test
  void templatesStandInSeveralFiles() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"bos_token\": \"<s>\", \"eos_token\": {\"content\": \"</s>\"}, \"chat_template\": "
            + quoted(SOURCE)
            + "}");
    assertEquals(TEXT, rendered());
    assertEquals(TEXT + "<|assistant|>", ChatTemplate.of(folder).orElseThrow().render(TALK, true));
    write("chat_template.json", "{\"chat_template\": \"json\"}");
    assertEquals("json", rendered());
    write("chat_template.jinja", "{{ bos_token }}jinja{{ unk_token }}");
    assertEquals("<s>jinja", rendered());
    write("special_tokens_map.json", "{\"bos_token\": \"other\", \"unk_token\": \"<unk>\"}");
    assertEquals("<s>jinja<unk>", rendered());
  }

  @Test
  void theDefaultOfSeveralTemplatesIsTaken() throws IOException {
    write(
        "tokenizer_config.json",
        "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"tools\"},"
            + " {\"name\": \"default\", \"template\": \"usual\"}]}");
    assertEquals("usual", rendered());
    write(
        "tokenizer_config.json", "{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}]}");
    ConfigException wrong = assertThrows(ConfigException.class, () -> ChatTemplate.of(folder));
    assertTrue(wrong.getMessage().contains("'default'"), wrong.getMessage());
  }

  @Test
  void ggufFilesHaveTemplates() throws IOException {
    Path file = folder.resolve("model.gguf");
    gguf(SOURCE).write(file);
    assertEquals(TEXT, ChatTemplate.of(file).orElseThrow().render(TALK, false));
    Path copy = Files.createDirectory(folder.resolve("copy"));
    SideFiles.copyChatTemplate(file, copy);
    assertEquals(TEXT, ChatTemplate.of(copy).orElseThrow().render(TALK, false));
    Path again = Files.createDirectory(folder.resolve("again"));
    SideFiles.copyChatTemplate(copy, again);
    assertEquals(TEXT, ChatTemplate.of(again).orElseThrow().render(TALK, false));
  }

  private static GgufWriter gguf(String template) {
    return new GgufWriter()
        .text("general.architecture", "llama")
        .text("tokenizer.chat_template", template)
        .strings("tokenizer.ggml.tokens", List.of("<s>", "</s>"))
        .integer("tokenizer.ggml.bos_token_id", 0)
        .integer("tokenizer.ggml.eos_token_id", 1)
        .integer("tokenizer.ggml.unknown_token_id", 7)
        .tensor("token_embd.weight", GgufType.F32, Tensor.zeros(2, 2));
  }

  @Test
  void aDamagedTemplateIsCopiedButNotRendered() throws IOException {
    Path file = folder.resolve("model.gguf");
    gguf("{% for %}").write(file);
    DataException wrong = assertThrows(DataException.class, () -> ChatTemplate.of(file));
    assertTrue(
        wrong.getMessage().startsWith("tokenizer.chat_template of " + file), wrong.getMessage());
    Path copy = Files.createDirectory(folder.resolve("copy"));
    SideFiles.copyChatTemplate(file, copy);
    assertTrue(Files.exists(copy.resolve("chat_template.jinja")));
    assertThrows(DataException.class, () -> ChatTemplate.of(copy));
  }

  @Test
  void aModelWithoutTemplateCopiesNone() throws IOException {
    Path copy = Files.createDirectory(folder.resolve("copy"));
    SideFiles.copyChatTemplate(folder, copy);
    assertFalse(Files.exists(copy.resolve("chat_template.jinja")));
    assertFalse(Files.exists(copy.resolve("special_tokens_map.json")));
  }

  @Test
  void variablesAndTheTimeCanBeGiven() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{{ strftime_now('%d %B %Y') }} {{ enable_thinking }}", Map.of(), "a template");
    Clock clock = Clock.fixed(Instant.parse("2026-07-04T15:30:00Z"), ZoneOffset.UTC);
    assertEquals(
        "04 July 2026 False",
        template.withClock(clock).render(TALK, true, Map.of("enable_thinking", false)));
  }

  @Test
  void theTokenThatEndsATurnIsFound() throws IOException {
    Path file = Path.of("src/test/resources/dev/jformer/hub/gguf/llama.gguf");
    Tokenizer tokenizer = Tokenizers.load(file);
    String turn = "{% for m in messages %}<|im_start|>{{ m.content }}%s\n{% endfor %}";
    ChatTemplate ended =
        ChatTemplate.parse(turn.replace("%s", "<|im_end|>"), Map.of(), "a template");
    int id = tokenizer.id("<|im_end|>").orElseThrow();
    assertEquals(Set.of(id), StopTokens.ofTurn(ended, tokenizer));
    ChatTemplate other =
        ChatTemplate.parse(
            turn.replace("%s", "{{ eos_token }}"), Map.of("eos_token", "is"), "a template");
    assertEquals(Set.of(tokenizer.id("is").orElseThrow()), StopTokens.ofTurn(other, tokenizer));
    for (String none : List.of(turn.replace("%s", "</never>"), "{{ raise_exception('') }}", "x")) {
      ChatTemplate template = ChatTemplate.parse(none, Map.of(), "a template");
      assertEquals(Set.of(), StopTokens.ofTurn(template, tokenizer));
    }
  }

  @Test
  void aTemplateCanRefuseAConversation() {
    ChatTemplate template =
        ChatTemplate.parse(
            "{% if messages[0].role == 'system' %}{{ raise_exception('No system!') }}{% endif %}",
            Map.of(), "a template");
    DataException refused = assertThrows(DataException.class, () -> template.render(TALK, true));
    assertEquals("a template fails in line 1: No system!", refused.getMessage());
  }
}
