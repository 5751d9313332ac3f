package dev.jformer.data.tokenizer;

import dev.jformer.data.DataException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The words of a text and how often each occurs, for those who learn tokens from it. */
final class WordCounts {
  /** The most bytes that a learned token stands for. */
  static final int LONGEST_TOKEN = 256;

  private static final int BASE = 257;
  private static final Pattern WORD =
      Pattern.compile(
          "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
          Pattern.UNICODE_CHARACTER_CLASS);

  private final Map<String, Integer> counts = new HashMap<>();

  /** Calls back with each word of a text, as GPT-2 cuts it. */
  static void words(String text, Consumer<String> word) {
    Matcher words = WORD.matcher(text);
    while (words.find()) {
      word.accept(words.group());
    }
  }

  void add(String text) {
    words(text, word -> counts.merge(word, 1, Integer::sum));
  }

  /** A word in the {@link ByteAlphabet}. */
  static String spell(String word) {
    return ByteAlphabet.spell(word.getBytes(StandardCharsets.UTF_8));
  }

  /** The words in order, in the {@link ByteAlphabet}, with their counts. */
  Words words() {
    List<String> sorted = counts.keySet().stream().sorted().toList();
    int[] frequencies = sorted.stream().mapToInt(counts::get).toArray();
    return new Words(sorted.stream().map(WordCounts::spell).toList(), frequencies);
  }

  /**
   * Distinct words and how often each occurs.
   *
   * @param spelled the words, a character for each byte
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Words(List<String> spelled, int[] frequencies) {}

  /** The tokens that every vocabulary begins with: the end of a text, and all bytes in order. */
  static List<String> base() {
    List<String> tokens = new ArrayList<>(List.of(TokenizerTrainer.END_OF_TEXT));
    char[] bytes = new char[256];
    for (int b = 0; b < bytes.length; b++) {
      bytes[b] = ByteAlphabet.character(b);
    }
    Arrays.sort(bytes);
    for (char b : bytes) {
      tokens.add(String.valueOf(b));
    }
    return tokens;
  }

  /**
   * Checks that a vocabulary holds the tokens that every one has.
   *
   * @throws DataException if it does not
   */
  static void check(int vocabulary) {
    if (vocabulary < BASE) {
      throw new DataException(
          "a vocabulary of "
              + vocabulary
              + " is too small: the 256 bytes and "
              + TokenizerTrainer.END_OF_TEXT
              + " need "
              + BASE);
    }
  }
}
