package dev.jformer.data.text;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A word of a text and its place in it.
 *
 * @param text the word
 * @param start index of its first character in the text
 * @param end index after its last character
 */
public record Word(String text, int start, int end) {
  private static final String LETTERS = "[\\p{L}\\p{M}\\p{N}_]+";

  /**
   * Words of letters and digits, with apostrophes, hyphens, points and commas inside them; @ and #
   * may stand before. Every other character is a word of its own.
   */
  private static final Pattern WORD =
      Pattern.compile("[@#]?" + LETTERS + "(?:['’.,:/&-]" + LETTERS + ")*+|[^\\s\\p{Z}\\p{Cc}]");

  /**
   * Splits a text into words as corpora of tagged words do: at spaces, and before and after
   * punctuation that does not stand inside a word or a number.
   */
  public static List<Word> split(String text) {
    List<Word> words = new ArrayList<>();
    Matcher matcher = WORD.matcher(text);
    while (matcher.find()) {
      words.add(new Word(matcher.group(), matcher.start(), matcher.end()));
    }
    return words;
  }
}
