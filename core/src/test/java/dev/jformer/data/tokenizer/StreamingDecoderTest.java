package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What is shown piece by piece is the text that all ids give at once. */
class StreamingDecoderTest {
  private final long seed = Long.getLong("jformer.test.seed", System.nanoTime());
  private final Random random = new Random(seed);

  private static String stream(Tokenizer tokenizer, int... ids) {
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    StringBuilder shown = new StringBuilder();
    for (int id : ids) {
      String before = shown.toString();
      shown.append(decoder.next(id));
      assertTrue(shown.toString().startsWith(before));
    }
    return shown.append(decoder.end()).toString();
  }

  @Test
  void replacementCharactersOfTheTextAreShownAsTheyAre() {
    Tokenizer bytes = new ByteTokenizer();
    for (int count = 1; count <= 12; count++) {
      String text = "a" + "\uFFFD".repeat(count) + "b\uFFFD\u20AC" + "\uFFFD".repeat(count);
      assertEquals(text, stream(bytes, bytes.encode(text)));
    }
  }

  @Test
  void bytesThatAreNoTextBecomeWhatTheyBecomeAtOnce() throws IOException {
    BpeTrainer trainer = new BpeTrainer();
    trainer.piece("banana bandana \u20AC\u20AC");
    Tokenizer subwords = trainer.train(280, count -> {});
    for (Tokenizer tokenizer : new Tokenizer[] {new ByteTokenizer(), subwords}) {
      for (int round = 0; round < 200; round++) {
        int[] ids = random.ints(30, 0, tokenizer.vocabularySize()).toArray();
        assertEquals(tokenizer.decode(ids), stream(tokenizer, ids), "seed " + seed);
      }
    }
  }

  /** Such a decoder calls all bytes of a run invalid while the last character is not whole. */
  @Test
  void charactersOfByteFallbackComeOneByOneAndWhole() throws IOException {
    Tokenizer tokenizer = byteFallback();
    String text = "ab\uD83D\uDE00\uD83D\uDE01\u4E2D\uFFFDa" + "\uD83D\uDE02".repeat(5) + "b";
    int[] ids = byteIds(text);
    assertEquals(text, tokenizer.decode(ids)); // the tokenizer itself is what it should be
    assertEquals(text, stream(tokenizer, ids));
    StreamingDecoder decoder = new StreamingDecoder(tokenizer);
    StringBuilder pieces = new StringBuilder();
    for (int id : byteIds("\uD83D\uDE00\uD83D\uDE01")) {
      pieces.append(decoder.next(id)).append('|');
    }
    assertEquals("|||\uD83D\uDE00||||\uD83D\uDE01|", pieces.toString());
  }

  @Test
  void aCharacterIsShownWithItsLastByte() {
    StreamingDecoder decoder = new StreamingDecoder(new ByteTokenizer());
    StringBuilder pieces = new StringBuilder();
    for (byte b : "a\u20AC\uD83D\uDE00".getBytes(StandardCharsets.UTF_8)) {
      pieces.append(decoder.next(b & 0xFF)).append('|');
    }
    assertEquals("a|||\u20AC||||\uD83D\uDE00|", pieces.toString());
  }

  private static int[] byteIds(String text) {
    return new ByteTokenizer().encode(text);
  }

  /** A tokenizer like Llama's, whose tokens 0 ... 255 are the bytes that it falls back to. */
  private static Tokenizer byteFallback() throws IOException {
    JsonMapper json = new JsonMapper();
    ObjectNode root =
        (ObjectNode)
            json.readTree(
                """
                {"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,
                 "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Fuse"}]},
                 "model":{"type":"BPE","byte_fallback":true,"vocab":{},"merges":[]}}
                """);
    ObjectNode vocab = (ObjectNode) root.path("model").path("vocab");
    for (int b = 0; b < 256; b++) {
      vocab.put(String.format("<0x%02X>", b), b);
    }
    return Tokenizers.parse(json.writeValueAsBytes(root));
  }
}
