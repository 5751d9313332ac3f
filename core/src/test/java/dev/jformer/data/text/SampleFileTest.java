package dev.jformer.data.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SampleFileTest {
  @TempDir private Path folder;

  private Path file(String text) throws IOException {
    return Files.writeString(folder.resolve("samples.jsonl"), text);
  }

  @Test
  void readsEachKindOfSample() throws IOException {
    List<Sample> samples =
        SampleFile.read(
            file(
                """
                {"prompt": "2+2=", "completion": "4", "source": "a book"}

                {"text": "é\\n"}
                {"prompt": "", "chosen": "yes", "rejected": "no"}
                """));
    assertEquals(
        List.of(
            new Sample.Completion("2+2=", "4"),
            new Sample.Text("é\n"),
            new Sample.Preference("", "yes", "no")),
        samples);
  }

  @Test
  void readsPreferencesOfConversations() throws IOException {
    List<Sample> samples =
        SampleFile.read(
            file(
                """
                {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "a"}], "rejected": [{"role": "assistant", "content": "b"}]}
                {"chosen": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "rejected": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "b"}]}
                """));
    for (int line = 1; line <= 2; line++) {
      Sample.Turn question = new Sample.Turn("user", "q");
      assertEquals(
          new Sample.ConversationPreference(
              new Sample.Conversation(List.of(question, new Sample.Turn("assistant", "a")), line),
              new Sample.Conversation(List.of(question, new Sample.Turn("assistant", "b")), line)),
          samples.get(line - 1));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"prompt\": \"a\"}                       | line 2: the object has [prompt]: expected",
        "{\"prompt\": 1, \"completion\": \"b\"}    | line 2: prompt is 1: expected a string",
        "{\"completion\": \"b\"}                   | line 2: prompt is missing",
        "{\"prompt\": \"a\", \"completion\": \"\"} | line 2: completion is empty",
        "{\"prompt\": \"a\", \"chosen\": \"b\"}    | line 2: rejected is missing",
        "{\"messages\": []}                      | line 2: messages is no list of messages",
        "{\"messages\": [{\"role\": \"user\"}]}   | line 2: message 1 has no role and content",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]} | line 2: the last message is"
            + " by 'user'",
        "{\"chosen\": [{\"role\": \"user\", \"content\": \"a\"}], \"rejected\": []} | line 2: in"
            + " chosen the last message is by 'user'",
        "{\"prompt\": \"a\", \"chosen\": [], \"rejected\": []} | line 2: prompt is no list of"
            + " messages",
        "{\"chosen\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"rejected\": \"b\"} | line"
            + " 2: rejected is no list of messages",
        "{\"chosen\": [{\"role\": \"assistant\", \"content\": \"a\"}], \"rejected\": [{\"role\":"
            + " \"assistant\", \"content\": \"b\"}]} | line 2: chosen and rejected begin with"
            + " different",
        "{\"text\": null}                          | line 2: text is null",
        "{\"text\": \"a\"                          | line 2: this is not valid JSON",
        "{\"text\": \"a\"} {}                      | line 2: this is not valid JSON",
        "{\"text\": \"a\", \"text\": \"b\"}        | line 2: this is not valid JSON",
        "[1]                                       | line 2: this is not a JSON object",
        "{}                                        | line 2: the object has no fields",
      })
  void badLinesAreNamedByTheirNumber(String line, String message) throws IOException {
    Path file = file("{\"text\": \"good\"}\n" + line + "\n");
    String found = assertThrows(DataException.class, () -> SampleFile.read(file)).getMessage();
    assertTrue(found.contains(message), found);
  }

  @Test
  void anEmptyFileHasNoSamples() throws IOException {
    Path file = file("\n\n");
    String found = assertThrows(DataException.class, () -> SampleFile.read(file)).getMessage();
    assertTrue(found.contains("has no samples"), found);
  }
}
