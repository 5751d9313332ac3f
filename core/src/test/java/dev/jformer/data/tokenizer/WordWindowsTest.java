package dev.jformer.data.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WordWindowsTest {
  private static final Tokenizer BERT =
      parse(
          ("{\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"vocab\":{\"[UNK]\":0,"
                  + "\"[CLS]\":1,\"[SEP]\":2,\"a\":3,\"##a\":4,\"b\":5,\"##b\":6}},"
                  + "\"pre_tokenizer\":{\"type\":\"BertPreTokenizer\"},"
                  + "\"normalizer\":{\"type\":\"BertNormalizer\",\"lowercase\":true,"
                  + "\"clean_text\":true,\"handle_chinese_chars\":true,\"strip_accents\":null},"
                  + "\"post_processor\":{\"type\":\"BertProcessing\",\"cls\":[\"[CLS]\",1],"
                  + "\"sep\":[\"[SEP]\",2]}}")
              .getBytes(StandardCharsets.UTF_8));

  private static Tokenizer parse(byte[] json) {
    try {
      return Tokenizers.parse(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void aShortSentenceIsOneWindowWithTheFirstTokenOfEachWord() {
    WordWindows windows = WordWindows.of(BERT, List.of("ab", "\u0001", "b", "baa"), 32);
    assertEquals(1, windows.windows().size());
    WordWindows.Window window = windows.windows().get(0);
    assertArrayEquals(new int[] {1, 3, 6, 5, 5, 4, 4, 2}, window.ids());
    assertEquals(4, window.words());
    assertEquals(1, window.place(0));
    assertTrue(window.place(1) < 0, "a control character has no token");
    assertEquals(3, window.place(2));
    assertEquals(4, window.place(3));
    assertEquals(0, windows.cutWords());
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 4, 5, 8, 16, 63, 64, 65, 129})
  void everyWordBelongsToOneWindowAndStandsThere(int longest) {
    SplittableRandom random = new SplittableRandom(longest);
    for (int count : new int[] {1, 2, 63, 64, 65, 127, 128, 129, 200}) {
      List<String> words = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        words.add((random.nextBoolean() ? "a" : "b").repeat(1 + random.nextInt(6)));
      }
      WordWindows encoded = WordWindows.of(BERT, words, longest);
      int next = 0;
      for (WordWindows.Window window : encoded.windows()) {
        assertTrue(window.length() <= longest);
        assertEquals(1, window.ids()[0]);
        assertEquals(2, window.ids()[window.length() - 1]);
        if (window.words() > 0) {
          assertEquals(next, window.firstWord());
        }
        for (int word = window.firstWord(); word < window.firstWord() + window.words(); word++) {
          int[] ids = BERT.encode(words.get(word));
          int[] kept = Arrays.copyOf(ids, Math.min(ids.length, longest - 2));
          int place = window.place(word);
          assertArrayEquals(
              kept, Arrays.copyOfRange(window.ids(), place, place + kept.length), "word " + word);
        }
        next += window.words();
      }
      assertEquals(count, next);
      assertEquals(
          words.stream().filter(word -> word.length() > longest - 2).count(), encoded.cutWords());
    }
  }

  @Test
  void wordsInTheMiddleHaveContextOnBothSides() {
    WordWindows encoded = WordWindows.of(BERT, List.of("a ".repeat(200).split(" ")), 42);
    for (int i = 1; i < encoded.windows().size(); i++) {
      WordWindows.Window window = encoded.windows().get(i);
      assertTrue(window.place(window.firstWord()) >= 5, "words before its own");
    }
  }

  @Test
  void noWordsMakeNoWindow() {
    assertEquals(List.of(), WordWindows.of(BERT, List.of(), 8).windows());
    assertEquals(List.of(), WordWindows.of(BERT, List.of("\u0001"), 8).windows());
    assertThrows(IllegalArgumentException.class, () -> WordWindows.of(BERT, List.of("a"), 2));
  }

  @Test
  void aByteTokenizerMarksWordsBySpaces() {
    WordWindows encoded = WordWindows.of(new ByteTokenizer(), List.of("ab", "c"), 8);
    assertArrayEquals(" ab c".chars().toArray(), encoded.windows().get(0).ids());
    assertEquals(3, encoded.windows().get(0).place(1));
  }
}
