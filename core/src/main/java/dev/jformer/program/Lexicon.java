package dev.jformer.program;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The words that a program knows. Digits are read as 0. A word that is not known is read as its
 * lower-case form if that is known, else as one of a few tokens for unknown words, by its shape.
 */
public final class Lexicon {
  /** Stands before the words of every sequence; heads that find no match take it. */
  public static final String START = "<s>";

  static final String LINK = "<url>";
  static final String NAME = "<@>";
  static final String NUMBER = "<0>";
  static final String LOWER = "<unk>";
  static final String UPPER = "<UNK>";
  static final String MIXED = "<Unk>";

  /** The tokens that are no words: {@link #START} and those for unknown words. */
  public static final List<String> SPECIAL =
      List.of(START, LOWER, MIXED, UPPER, NUMBER, NAME, LINK);

  private final Map<String, Integer> codes = new HashMap<>();

  /**
   * Creates a lexicon.
   *
   * @param tokens by code; all of {@link #SPECIAL} are among them
   */
  public Lexicon(List<String> tokens) {
    for (int code = 0; code < tokens.size(); code++) {
      codes.put(tokens.get(code), code);
    }
  }

  /**
   * The tokens of a new lexicon: the special ones, then words by how often they are seen, the most
   * frequent first.
   *
   * @param words the words of a training
   * @param least how often a word is seen at least
   */
  public static List<String> learned(Collection<String> words, int least) {
    Map<String, Integer> counts = new HashMap<>();
    for (String word : words) {
      if (!word.isEmpty() && word.chars().noneMatch(Lexicon::isSpace)) {
        counts.merge(plain(word), 1, Integer::sum);
      }
    }
    SPECIAL.forEach(counts::remove);
    List<String> tokens = new ArrayList<>(SPECIAL);
    counts.entrySet().stream()
        .filter(entry -> entry.getValue() >= least)
        .sorted(
            Map.Entry.<String, Integer>comparingByValue()
                .reversed()
                .thenComparing(Map.Entry.comparingByKey()))
        .forEach(entry -> tokens.add(entry.getKey()));
    return tokens;
  }

  /** Whether a character would end a word in a written list of words. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || Character.isISOControl(c);
  }

  /** The code of the token that a word is read as. */
  public int code(String word) {
    String plain = plain(word);
    Integer code = codes.get(plain);
    if (code == null) {
      code = codes.get(plain.toLowerCase(Locale.ROOT));
    }
    return code == null ? codes.get(shape(plain)) : code;
  }

  /** The code of a token. */
  public int special(String token) {
    return codes.get(token);
  }

  private static String plain(String word) {
    return word.replaceAll("[0-9]", "0");
  }

  /** The token that a word is read as where neither it nor its lower-case form is known. */
  public static String shape(String word) {
    String plain = plain(word);
    if (plain.startsWith("http") || plain.startsWith("www.")) {
      return LINK;
    }
    if (plain.startsWith("@")) {
      return NAME;
    }
    if (plain.contains("0")) {
      return NUMBER;
    }
    if (plain.equals(plain.toLowerCase(Locale.ROOT))) {
      return LOWER;
    }
    return plain.equals(plain.toUpperCase(Locale.ROOT)) ? UPPER : MIXED;
  }
}
