package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.config.Configs;
import dev.jformer.data.DataException;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.decode.Generator.Ending;
import dev.jformer.decode.Sampling;
import dev.jformer.hub.ChatMessage;
import dev.jformer.hub.Models;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.tensor.Random;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatTest {
  private static final String TEMPLATE =
      "{% for m in messages %}<{{ m.role[0] }}>{{ m.content }}</>{% endfor %}"
          + "{% if add_generation_prompt %}<a>{% endif %}";
  private static final Chat.Options GREEDY =
      new Chat.Options().withSampling(Sampling.GREEDY).withBounds(12, 0);

  @TempDir Path folder;

  @BeforeEach
  void model() throws IOException {
    Random.seed(2);
    String config =
        "{\"model\":\"causal-lm\",\"layers\":1,\"width\":16,\"vocab\":257,\"length\":200,"
            + "\"init\":{\"deviation\":0.4}}";
    try (CausalLm model = (CausalLm) Configs.parse(config, Model.Config.class).build()) {
      Models.save(model, folder);
    }
    new ByteTokenizer().save(folder);
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
  }

  @Test
  void anAnswerContinuesTheTextOfTheConversation() throws IOException {
    try (Chat chat = Chat.open(folder, GREEDY.withSystem("Be."));
        LanguageModel model = LanguageModel.load(folder)) {
      List<String> pieces = new ArrayList<>();
      Chat.Answer first = chat.say("Hi", pieces::add);
      String prompt = "<s>Be.</><u>Hi</><a>";
      assertEquals(model.generate(prompt, Sampling.GREEDY.maxTokens(12)).text(), first.text());
      assertEquals(first.text(), String.join("", pieces));
      assertEquals(Ending.LENGTH, first.ending());
      assertEquals(
          List.of(ChatMessage.user("Hi"), ChatMessage.assistant(first.text())), chat.history());
      Chat.Answer second = chat.say("Why?");
      prompt += first.text() + "</><u>Why?</><a>";
      assertEquals(model.generate(prompt, Sampling.GREEDY.maxTokens(12)).text(), second.text());
      assertTrue(second.reused() >= "<s>Be.</><u>Hi</><a>".length(), "" + second);
    }
  }

  @Test
  void aResetForgetsAndKeepsTheInstruction() throws IOException {
    try (Chat chat = Chat.open(folder, GREEDY.withSystem("Be."))) {
      String first = chat.say("Hi").text();
      chat.say("More");
      chat.reset();
      assertEquals(List.of(), chat.history());
      Chat.Answer again = chat.say("Hi");
      assertEquals(first, again.text());
      assertTrue(again.reused() > 0);
      chat.setSystem("");
      assertEquals("<u>Hi</><a>".length(), total(chat.say("Hi")));
    }
  }

  private static int total(Chat.Answer answer) {
    return answer.read() + answer.reused();
  }

  @Test
  void theOldestMessagesLeaveAFullContext() throws IOException {
    try (Chat chat = Chat.open(folder, GREEDY.withBounds(5, 64).withSystem("Be."))) {
      int dropped = 0;
      for (int turn = 0; turn < 8; turn++) {
        Chat.Answer answer = chat.say("message " + turn);
        dropped += answer.dropped();
        assertEquals(0, answer.dropped() % 2, "whole turns");
        assertTrue(total(answer) + 5 <= 64, "" + answer);
        assertEquals(5, answer.tokens());
        assertEquals("message " + turn, chat.history().get(chat.history().size() - 2).content());
      }
      assertTrue(dropped > 0);
      int known = chat.history().size();
      RunException wrong = assertThrows(RunException.class, () -> chat.say("x".repeat(100)));
      assertTrue(wrong.getMessage().contains("the context 64"), wrong.getMessage());
      assertEquals(known, chat.history().size(), "a message that was refused is not remembered");
    }
  }

  @Test
  void theSamplingIsThatOfTheMakers() throws IOException {
    Files.writeString(folder.resolve("generation_config.json"), "{\"do_sample\": false}");
    String greedy;
    try (Chat chat = Chat.open(folder, GREEDY)) {
      greedy = chat.say("Hi").text();
    }
    try (Chat chat = Chat.open(folder, new Chat.Options().withBounds(12, 0))) {
      assertEquals(greedy, chat.say("Hi").text());
    }
    Files.writeString(folder.resolve("generation_config.json"), "{\"temperature\": \"hot\"}");
    assertTrue(
        assertThrows(RuntimeException.class, () -> Chat.open(folder))
            .getMessage()
            .contains("temperature is \"hot\": expected a number"));
    Files.writeString(folder.resolve("generation_config.json"), "{\"temperature\": -1}");
    assertThrows(RuntimeException.class, () -> Chat.open(folder));
  }

  @Test
  void theTokensThatEndTextsEndAnswers() throws IOException {
    List<Integer> bytes = IntStream.range(0, 257).boxed().toList();
    Files.writeString(
        folder.resolve("generation_config.json"), "{\"eos_token_id\": " + bytes + "}");
    try (Chat chat = Chat.open(folder, GREEDY)) {
      Chat.Answer answer = chat.say("Hi");
      assertEquals(Ending.STOP_ID, answer.ending());
      assertEquals("", answer.text());
      assertEquals(2, chat.history().size());
    }
  }

  @Test
  void aModelWithoutTemplateSaysWhatToDo() throws IOException {
    Files.delete(folder.resolve("chat_template.jinja"));
    RunException wrong = assertThrows(RunException.class, () -> Chat.open(folder));
    assertTrue(wrong.getMessage().contains("has no chat template"), wrong.getMessage());
    assertTrue(wrong.getMessage().contains("chat_template.jinja"), wrong.getMessage());
  }

  @Test
  void aTemplateThatRefusesLeavesTheConversationAsItWas() throws IOException {
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{% if messages | length > 2 %}{{ raise_exception('One turn only') }}{% endif %}"
            + TEMPLATE);
    try (Chat chat = Chat.open(folder, GREEDY)) {
      chat.say("Hi");
      DataException wrong = assertThrows(DataException.class, () -> chat.say("More"));
      assertTrue(wrong.getMessage().endsWith("One turn only"), wrong.getMessage());
      assertEquals(2, chat.history().size());
    }
  }
}
