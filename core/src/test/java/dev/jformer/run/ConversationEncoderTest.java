package dev.jformer.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import dev.jformer.data.text.EncodedSample;
import dev.jformer.data.text.Sample;
import dev.jformer.data.tokenizer.ByteTokenizer;
import dev.jformer.hub.ChatTemplate;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConversationEncoderTest {
  private static final String CHATML =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}</>\n{% endfor %}"
          + "{% if add_generation_prompt %}<assistant>{% endif %}";

  private static ConversationEncoder encoder(String template) {
    return new ConversationEncoder(
        ChatTemplate.parse(template, Map.of(), "test"), new ByteTokenizer(), "file.jsonl");
  }

  private static Sample.Conversation conversation(String... texts) {
    List<Sample.Turn> turns = new java.util.ArrayList<>();
    for (int i = 0; i < texts.length; i++) {
      turns.add(new Sample.Turn(i % 2 == 0 ? "user" : "assistant", texts[i]));
    }
    return new Sample.Conversation(turns, 7);
  }

  private static String learned(EncodedSample sample) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < sample.ids().length; i++) {
      text.append(sample.learned()[i] ? (char) sample.ids()[i] : '.');
    }
    return text.toString();
  }

  @Test
  void learnsWhatTheTemplateAddsForEachAnswer() {
    EncodedSample sample = encoder(CHATML).encode(conversation("a", "bc", "d", "e"));
    String whole = "<user>a</>\n<assistant>bc</>\n<user>d</>\n<assistant>e</>\n";
    assertEquals(whole, new ByteTokenizer().decode(sample.ids()));
    String expected =
        whole
            .replace("<user>a</>\n<assistant>", ".".repeat(22))
            .replace("<user>d</>\n<assistant>", ".".repeat(22));
    assertEquals(expected, learned(sample));
    assertEquals("<user>a</>\n<assistant>", encoder(CHATML).lastPrompt(conversation("a", "b")));
  }

  @Test
  void refusalsOfTheTemplateNameTheLine() {
    String strict =
        "{% if messages[0].role != 'system' %}{{ raise_exception('system first') }}{% endif %}";
    String message =
        assertThrows(DataException.class, () -> encoder(strict).encode(conversation("a", "b")))
            .getMessage();
    assertTrue(message.startsWith("file.jsonl, line 7: "), message);
    assertTrue(message.contains("system first"), message);
    String rewriting = "{{ messages | length }}{% for m in messages %}{{ m.content }}{% endfor %}";
    String other =
        assertThrows(DataException.class, () -> encoder(rewriting).encode(conversation("a", "b")))
            .getMessage();
    assertTrue(other.contains("line 7: the model's chat template changes"), other);
  }
}
