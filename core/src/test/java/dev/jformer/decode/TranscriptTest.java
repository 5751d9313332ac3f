package dev.jformer.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.data.tokenizer.Tokenizer;
import dev.jformer.data.tokenizer.Tokenizers;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Against the text of all tokens, decoded and searched anew after every one. */
class TranscriptTest {
  /** Tokens that stand for nothing, a letter, and whole phrases. */
  private static final String[] WORDS = {"", "a", "b", "ab", "ba", "aab", "abab ba", "c"};

  /** Bytes that begin, go on with and end characters, or stand for themselves. */
  private static final int[] BYTES = {0xF0, 0x9F, 0x8C, 0xB3, 0xC3, 0xA9, 0xE2, 0x82, 'a', 'b'};

  @TempDir Path folder;

  private static String phrases(int[] ids) {
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      text.append(WORDS[id]);
    }
    return text.toString();
  }

  private static String bytes(int[] ids) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : ids) {
      bytes.write(id);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  /** Words with a blank before each but the first, as many tokenizers have them. */
  private static String words(int[] ids) {
    return phrases(ids).isEmpty()
        ? ""
        : IntStream.of(ids)
            .mapToObj(id -> id == 0 ? "" : " " + WORDS[id])
            .reduce("", String::concat)
            .substring(1);
  }

  private record Shown(String text, boolean stopped) {}

  /** What a transcript shows, piece by piece, of tokens up to the first stop string. */
  private static Shown shown(
      Function<int[], String> decoder, List<String> stops, int[] ids, List<String> pieces) {
    Transcript transcript = new Transcript(decoder, stops);
    for (int id : ids) {
      transcript.add(id);
      if (transcript.stopped()) {
        break;
      }
      pieces.add(transcript.fresh(false));
    }
    transcript.end();
    pieces.add(transcript.fresh(true));
    assertEquals(transcript.text(), String.join("", pieces));
    return new Shown(transcript.text(), transcript.stopped());
  }

  private static Shown naive(Function<int[], String> decoder, List<String> stops, int[] ids) {
    for (int count = 1; count <= ids.length; count++) {
      String text = decoder.apply(java.util.Arrays.copyOf(ids, count));
      int first = stops.stream().mapToInt(text::indexOf).filter(x -> x >= 0).min().orElse(-1);
      if (first >= 0) {
        return new Shown(text.substring(0, first), true);
      }
    }
    return new Shown(decoder.apply(ids), false);
  }

  private static int[] draw(Random random, int count, IntUnaryOperator token) {
    return IntStream.range(0, count).map(token).toArray();
  }

  @Test
  void findsWhatSearchingAllTextAfterEveryTokenFinds() {
    int stopped = 0;
    for (long seed = 0; seed < 400; seed++) {
      Random random = new Random(seed);
      List<String> stops =
          List.of("bac", "abba".repeat(1 + random.nextInt(4)), " bac", "b a", "ab ab ba b");
      List<String> some = stops.subList(random.nextInt(4), 5);
      // Many empty tokens, so that a stop string may span far more tokens than characters.
      int[] ids =
          draw(random, 300, i -> random.nextInt(3) == 0 ? 1 + random.nextInt(WORDS.length - 1) : 0);
      for (Function<int[], String> decoder :
          List.<Function<int[], String>>of(TranscriptTest::phrases, TranscriptTest::words)) {
        Shown expected = naive(decoder, some, ids);
        assertEquals(expected, shown(decoder, some, ids, new ArrayList<>()), "seed " + seed);
        stopped += expected.stopped ? 1 : 0;
      }
    }
    assertTrue(stopped > 300 && stopped < 800, stopped + " of 800 met a stop string");
  }

  @Test
  void neverShowsHalfACharacterNorTakesOneBack() {
    int stopped = 0;
    for (long seed = 0; seed < 1000; seed++) {
      Random random = new Random(seed);
      int[] ids = draw(random, 60, i -> BYTES[random.nextInt(BYTES.length)]);
      if (random.nextBoolean()) {
        String text = "ab🌳€é🌳🌲a€".repeat(3);
        byte[] utf8 =
            text.substring(text.offsetByCodePoints(0, random.nextInt(9)))
                .getBytes(StandardCharsets.UTF_8);
        ids = IntStream.range(0, utf8.length).map(i -> utf8[i]).toArray();
      }
      List<String> stops = List.of("🌳€", "é🌳🌲", "aba", "é🌳a").subList(0, random.nextInt(5));
      List<String> pieces = new ArrayList<>();
      Shown expected = naive(TranscriptTest::bytes, stops, ids);
      assertEquals(expected, shown(TranscriptTest::bytes, stops, ids, pieces), "seed " + seed);
      for (String piece : pieces) {
        assertFalse(
            !piece.isEmpty()
                && (Character.isLowSurrogate(piece.charAt(0))
                    || Character.isHighSurrogate(piece.charAt(piece.length() - 1))),
            "seed " + seed + ": " + pieces);
      }
      stopped += expected.stopped ? 1 : 0;
    }
    assertTrue(stopped > 200, stopped + " met a stop string");
  }

  @Test
  void showsTextAsSoonAsItIsSure() {
    List<String> pieces = new ArrayList<>();
    byte[] utf8 = "xé🌳abe".getBytes(StandardCharsets.UTF_8);
    int[] ids = IntStream.range(0, utf8.length).map(i -> utf8[i]).toArray();
    shown(TranscriptTest::bytes, List.of("abcd"), ids, pieces);
    assertEquals(List.of("x", "", "é", "", "", "", "🌳", "", "", "abe", ""), pieces);
  }

  @Test
  void showsWhatNeverBecomesACharacterAtTheEnd() {
    List<String> pieces = new ArrayList<>();
    shown(TranscriptTest::bytes, List.of(), new int[] {'a', 0xF0, 0x9F}, pieces);
    assertEquals(List.of("a", "", "", "\uFFFD"), pieces);
    pieces.clear();
    shown(TranscriptTest::bytes, List.of("ab"), new int[] {'a'}, pieces);
    assertEquals(List.of("", "a"), pieces);
  }

  @Test
  void doesNotWaitForeverForWhatIsNoText() {
    int[] ids = new int[200];
    java.util.Arrays.fill(ids, 0x80);
    List<String> pieces = new ArrayList<>();
    shown(TranscriptTest::bytes, List.of(), ids, pieces);
    assertEquals("\uFFFD".repeat(100), String.join("", pieces.subList(0, 103)));
  }

  @Test
  void isTheTextOfATokenizerThatMakesBytes() throws IOException {
    Path model = Path.of("src/test/resources/dev/jformer/io/hf/gpt2");
    Tokenizer tokenizer = Tokenizers.load(model);
    for (long seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      int[] ids = draw(random, 50, i -> random.nextInt(tokenizer.vocabularySize()));
      assertEquals(
          new Shown(tokenizer.decode(ids), false),
          shown(tokenizer::decode, List.of(), ids, new ArrayList<>()),
          "seed " + seed);
    }
  }

  /** The decoder of Llama 2: blanks at the start of words, and single bytes for rare characters. */
  @Test
  void isTheTextOfATokenizerThatFallsBackToBytes() throws IOException {
    StringBuilder vocabulary = new StringBuilder("\"<unk>\":0,\"▁a\":1,\"b\":2,\"▁\":3,\"é\":4");
    for (int b = 0; b < 256; b++) {
      vocabulary.append(String.format(",\"<0x%02X>\":%d", b, 5 + b));
    }
    Files.writeString(
        folder.resolve(Tokenizer.FILE),
        """
        {"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
         "pre_tokenizer":null,"post_processor":null,
         "decoder":{"type":"Sequence","decoders":[
           {"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
           {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
         "model":{"type":"BPE","dropout":null,"unk_token":"<unk>","continuing_subword_prefix":null,
           "end_of_word_suffix":null,"fuse_unk":true,"byte_fallback":true,"vocab":{VOCAB},"merges":[]}}
        """
            .replace("VOCAB", vocabulary));
    Tokenizer tokenizer = Tokenizers.load(folder);
    String[] pieces = {"🌳", "€", "ü", "x"};
    for (long seed = 0; seed < 100; seed++) {
      Random random = new Random(seed);
      List<Integer> ids = new ArrayList<>();
      for (int i = 0; i < 30; i++) {
        if (random.nextBoolean()) {
          ids.add(1 + random.nextInt(4));
        } else {
          for (byte b : pieces[random.nextInt(pieces.length)].getBytes(StandardCharsets.UTF_8)) {
            ids.add(5 + (b & 0xFF));
          }
        }
      }
      int[] array = ids.stream().mapToInt(x -> x).toArray();
      assertEquals(
          new Shown(tokenizer.decode(array), false),
          shown(tokenizer::decode, List.of(), array, new ArrayList<>()),
          "seed " + seed);
    }
    // Where bytes make no character, that decoder gives up on all bytes beside them; what was shown
    // stays.
    int[] broken = {5 + 0xE2, 5 + 0x82, 5 + 0xAC, 5 + 0xFF, 2};
    List<String> shown = new ArrayList<>();
    shown(tokenizer::decode, List.of(), broken, shown);
    assertEquals(List.of("", "", "€", "", "\uFFFDb", ""), shown);
  }
}
