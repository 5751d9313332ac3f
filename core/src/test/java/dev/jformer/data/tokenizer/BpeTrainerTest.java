package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BpeTrainerTest {
  private static final Path FIXTURE =
      Path.of("src/test/resources/dev/jformer/data/tokenizer/bpe-merges.json");

  @TempDir Path folder;

  /**
   * The text, and the merges that Python's tokenizers learned from it; see
   * tools/fixtures/make_bpe.py.
   */
  private static JsonNode fixture() throws IOException {
    return new JsonMapper().readTree(FIXTURE.toFile());
  }

  private static Tokenizer trained(String text, int vocabulary) throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece(text);
    return trainer.train(vocabulary, count -> {});
  }

  private List<String> merges(Tokenizer tokenizer) throws IOException {
    tokenizer.save(folder);
    JsonNode root = new JsonMapper().readTree(folder.resolve("tokenizer.json").toFile());
    List<String> merges = new ArrayList<>();
    root.path("model").path("merges").forEach(merge -> merges.add(merge.asText()));
    return merges;
  }

  @Test
  void learnsTheMergesThatHuggingFacesTrainerLearns() throws IOException {
    JsonNode fixture = fixture();
    List<String> expected = new ArrayList<>();
    fixture.path("merges").forEach(merge -> expected.add(merge.asText()));
    assertTrue(expected.size() > 100);
    assertEquals(
        expected,
        merges(trained(fixture.path("text").asText(), fixture.path("vocabulary").asInt())));
  }

  @Test
  void encodesAsApplyingTheMergesInOrderDoes() throws IOException {
    String text = fixture().path("text").asText();
    Tokenizer tokenizer = trained(text, 500);
    List<String> merges = merges(tokenizer);
    JsonNode vocab =
        new JsonMapper()
            .readTree(folder.resolve("tokenizer.json").toFile())
            .path("model")
            .path("vocab");
    String word = " internationalization"; // one word for the pre-tokenizer
    List<String> tokens = new ArrayList<>();
    for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
      tokens.add(String.valueOf(ByteAlphabet.character(b & 0xFF)));
    }
    for (String merge : merges) {
      String[] pair = merge.split(" ");
      for (int i = 0; i + 1 < tokens.size(); i++) {
        if (tokens.get(i).equals(pair[0]) && tokens.get(i + 1).equals(pair[1])) {
          tokens.set(i, pair[0] + pair[1]);
          tokens.remove(i + 1);
        }
      }
    }
    int[] expected = tokens.stream().mapToInt(token -> vocab.path(token).asInt(-1)).toArray();
    assertArrayEquals(expected, tokenizer.encode(word));
  }

  @Test
  void stopsWhenNoPairOccursTwice() throws IOException {
    Tokenizer tokenizer = trained("ab ab", 1000);
    assertEquals(List.of("a b"), merges(tokenizer).stream().filter(m -> m.equals("a b")).toList());
    assertTrue(tokenizer.vocabularySize() < 262, "" + tokenizer.vocabularySize());
  }

  /** A run of one character would double the token's length with each merge. */
  @Test
  void boundsTheLengthOfTokens() throws IOException {
    for (String unit : List.of(" ", "-", "é", "\t", "ab")) {
      String text = unit.repeat(500_000);
      Tokenizer tokenizer = trained(text, 1000);
      int longest = merges(tokenizer).stream().mapToInt(m -> m.length() - 1).max().getAsInt();
      assertTrue(longest > 200 && longest <= BpeTrainer.LONGEST_TOKEN, unit + ": " + longest);
      Tokenizer read = Tokenizers.load(folder);
      assertArrayEquals(tokenizer.encode(text), read.encode(text), unit);
      assertEquals(text, read.decode(read.encode(text)), unit);
      assertTrue(read.encode(text).length < text.length() / 40, unit);
    }
  }

  @Test
  void keepsTextsWithSpecialSpellingApart() throws IOException {
    Tokenizer tokenizer = trained("hello hello world", 270);
    Files.createDirectories(folder);
    int end = tokenizer.endOfText().getAsInt();
    assertEquals(0, end);
    assertEquals("hello\u0000 ä 😀", tokenizer.decode(tokenizer.encode("hello\u0000 ä 😀")));
  }

  @Test
  void refusesVocabulariesWithoutRoomForTheBytes() {
    String message = assertThrows(DataException.class, () -> trained("text", 200)).getMessage();
    assertTrue(message.contains("a vocabulary of 200 is too small"), message);
  }
}
