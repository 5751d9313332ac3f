package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.jformer.data.DataException;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.io.gguf.GgufMetadata;
import dev.jformer.io.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Tokenizers in GGUF files, with what Python makes of texts: tools/fixtures/make_gguf_models.py.
 */
class GgufTokenizerTest {
  private static final Path FOLDER = Path.of("src/test/resources/dev/jformer/hub/gguf");
  private static final String PREFIX = "tokenizer.ggml.";

  @TempDir Path folder;

  private static JsonNode expected() throws IOException {
    return new JsonMapper().readTree(FOLDER.resolve("expected.json").toFile());
  }

  private static void check(Tokenizer tokenizer, JsonNode texts, JsonNode ids) throws IOException {
    assertTrue(texts.size() > 2);
    for (int i = 0; i < texts.size(); i++) {
      String text = texts.get(i).asText();
      int[] theirs = new JsonMapper().treeToValue(ids.get(i), int[].class);
      assertArrayEquals(theirs, tokenizer.encode(text), text);
    }
  }

  /** A copy of the byte-level tokenizer with this pre-tokenizer. */
  private GgufWriter withPreTokenizer(String name) throws IOException {
    try (GgufFile file = GgufFile.open(FOLDER.resolve("llama.gguf"))) {
      GgufMetadata metadata = file.metadata();
      return new GgufWriter()
          .text(PREFIX + "model", "gpt2")
          .text(PREFIX + "pre", name)
          .strings(PREFIX + "tokens", metadata.strings(PREFIX + "tokens"))
          .integers(PREFIX + "token_type", metadata.integers(PREFIX + "token_type"))
          .strings(PREFIX + "merges", metadata.strings(PREFIX + "merges"));
    }
  }

  private Tokenizer load(GgufWriter writer) throws IOException {
    writer.write(folder.resolve("tokenizer.gguf"));
    return Tokenizers.load(folder.resolve("tokenizer.gguf"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"smollm", "gpt-2", "llama-bpe", "qwen2"})
  void byteLevelTokensAreThoseOfTokenizers(String name) throws IOException {
    Tokenizer tokenizer = load(withPreTokenizer(name));
    check(tokenizer, expected().get("texts"), expected().get(name));
    for (JsonNode text : expected().get("texts")) {
      if (!name.equals("qwen2")) { // which normalizes texts
        assertEquals(text.asText(), tokenizer.decode(tokenizer.encode(text.asText())));
      }
    }
  }

  @Test
  void sentencePiecesAreThoseOfSentencePiece() throws IOException {
    Tokenizer tokenizer = Tokenizers.load(FOLDER.resolve("spm.gguf"));
    check(tokenizer, expected().get("plain"), expected().get("spm"));
    for (JsonNode text : expected().get("plain")) {
      assertEquals(text.asText(), tokenizer.decode(tokenizer.encode(text.asText())));
    }
    assertEquals(1, tokenizer.encodePrompt("a")[0], "texts begin with the token for that");
  }

  @Test
  void theJsonMakesTheSameTokenizer() throws IOException {
    for (String name : List.of("llama.gguf", "spm.gguf")) {
      Tokenizer tokenizer = Tokenizers.load(FOLDER.resolve(name));
      tokenizer.save(folder);
      Tokenizer again = Tokenizers.load(folder);
      for (JsonNode text : expected().get("texts")) {
        assertArrayEquals(tokenizer.encodePrompt(text.asText()), again.encodePrompt(text.asText()));
      }
    }
  }

  @Test
  void aTokenMayStandBeforeAndAfterTexts() throws IOException {
    Tokenizer tokenizer =
        load(
            withPreTokenizer("gpt-2")
                .flag(PREFIX + "add_bos_token", true)
                .flag(PREFIX + "add_eos_token", true)
                .integer(PREFIX + "bos_token_id", 1)
                .integer(PREFIX + "eos_token_id", 2));
    int[] whole = tokenizer.encodeWhole("It", 100);
    assertEquals(1, whole[0]);
    assertEquals(2, whole[whole.length - 1]);
  }

  @Test
  void whatIsNotSupportedIsNamed() throws IOException {
    refused(withPreTokenizer("tekken"), "tokenizer.ggml.pre is 'tekken', which is not supported");
    refused(withPreTokenizer(""), "only gpt-2, smollm, llama-bpe, qwen2 are");
    refused(new GgufWriter(), "it has no tokens: expected tokenizer.ggml.tokens");
    refused(
        new GgufWriter()
            .text(PREFIX + "model", "bert")
            .strings(PREFIX + "tokens", List.of("a", "b")),
        "tokenizer.ggml.model is 'bert', which is not supported");
    refused(
        new GgufWriter()
            .text(PREFIX + "model", "llama")
            .strings(PREFIX + "tokens", List.of("a", "b")),
        "scores has 0 values for 2 tokens");
    refused(
        withPreTokenizer("gpt-2")
            .flag(PREFIX + "add_bos_token", true)
            .integer(PREFIX + "bos_token_id", 1000),
        "bos_token_id is 1000, but there are only 300 tokens");
  }

  private void refused(GgufWriter writer, String part) {
    DataException e = assertThrows(DataException.class, () -> load(writer));
    assertTrue(e.getMessage().contains(part), e.getMessage());
  }
}
