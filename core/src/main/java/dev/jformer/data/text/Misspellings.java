package dev.jformer.data.text;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * Misspelt text, to test how robust a model is: in some of the words of more than three letters,
 * two neighbouring letters are exchanged.
 *
 * @param oneIn one of so many such words is misspelt, on average
 */
public record Misspellings(int oneIn) {
  /** Checks the value. */
  public Misspellings {
    Checks.atLeast("oneIn", oneIn, 1);
  }

  /** Returns a text with misspellings; words are what blanks separate. */
  public String in(String text, SplittableRandom random) {
    String[] words = text.split(" ", -1);
    for (int i = 0; i < words.length; i++) {
      if (words[i].length() > 3 && random.nextInt(oneIn) == 0) {
        int at = 1 + random.nextInt(words[i].length() - 2);
        StringBuilder word = new StringBuilder(words[i]);
        word.setCharAt(at, words[i].charAt(at - 1));
        word.setCharAt(at - 1, words[i].charAt(at));
        words[i] = word.toString();
      }
    }
    return String.join(" ", words);
  }
}
