package dev.jformer.data.tokenizer;

import dev.jformer.data.DataException;
import dev.jformer.io.FormatException;
import java.lang.Character.UnicodeScript;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * A regular expression of a tokenizer, which is written for the Oniguruma library: it is translated
 * to Java's. The work on a text is bounded, because an expression that backtracks can take years
 * for an ordinary text.
 */
final class RegexPattern implements TextPattern {
  private static final int FLAGS =
      Pattern.UNICODE_CHARACTER_CLASS
          | Pattern.UNICODE_CASE
          | Pattern.MULTILINE // ^ and $ are always those of lines
          | Pattern.UNIX_LINES;

  /** Characters that may be looked at: so many for each of the text, and so many besides. */
  private static final long WORK_PER_CHARACTER = 500;

  private static final long WORK = 1_000_000;

  /** Oniguruma's class of word characters has no joiners. */
  private static final String JOINERS = "\\x{200c}\\x{200d}";

  private static final String WORD = "[\\w&&[^" + JOINERS + "]]";

  /** It has fractions, but only where the class stands by itself. */
  private static final String FRACTIONS = "²³¹¼½¾";

  private static final Map<String, String> POSIX =
      Map.of(
          "alpha", "\\p{Alpha}",
          "digit", "\\d",
          "alnum", "\\p{Alpha}\\d",
          "upper", "\\p{Lu}",
          "lower", "\\p{Ll}",
          "space", "\\s",
          "punct", "\\p{P}\\p{S}",
          "cntrl", "\\p{Cc}",
          "xdigit", "0-9a-fA-F",
          "word", WORD);

  private static final Map<String, String> CATEGORIES =
      Map.of(
          "letter", "L",
          "mark", "M",
          "number", "N",
          "punctuation", "P",
          "symbol", "S",
          "separator", "Z",
          "other", "C",
          "uppercaseletter", "Lu",
          "lowercaseletter", "Ll",
          "decimalnumber", "Nd");

  private final Pattern pattern;
  private final String name;

  private RegexPattern(Pattern pattern, String name) {
    this.pattern = pattern;
    this.name = name;
  }

  /**
   * Translates an expression.
   *
   * @param name where it stands in the file, for messages
   * @throws DataException if it is not valid, or has a construct that Java does not know
   */
  static TextPattern of(String expression, String name) {
    try {
      return new RegexPattern(Pattern.compile(translate(expression), FLAGS), name);
    } catch (PatternSyntaxException | StackOverflowError e) {
      throw new DataException(
          name
              + " is "
              + FormatException.quote(expression)
              + ", which is not supported: "
              + (e instanceof PatternSyntaxException syntax
                  ? syntax.getDescription()
                  : "it is nested too deeply"),
          e);
    }
  }

  @Override
  public void find(String text, Parts parts) {
    Matcher matcher = pattern.matcher(new Watched(text));
    int from = 0;
    try {
      while (matcher.find()) {
        if (matcher.start() > from) {
          parts.add(from, matcher.start(), false);
        }
        parts.add(matcher.start(), matcher.end(), true);
        from = matcher.end();
      }
    } catch (StackOverflowError e) {
      throw tooHard(text, e);
    }
    if (from < text.length()) {
      parts.add(from, text.length(), false);
    }
  }

  private DataException tooHard(String text, Throwable cause) {
    return new DataException(
        name
            + " of the tokenizer takes too long for a text of "
            + text.length()
            + " characters that begins with "
            + FormatException.quote(text.substring(0, Math.min(30, text.length())))
            + ": give shorter lines or another tokenizer",
        cause);
  }

  /** A text that counts how often its characters are looked at. */
  private final class Watched implements CharSequence {
    private final String text;
    private long left;

    Watched(String text) {
      this.text = text;
      this.left = WORK + WORK_PER_CHARACTER * text.length();
    }

    @Override
    public char charAt(int index) {
      if (--left < 0) {
        throw tooHard(text, null);
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** Writes an expression of Oniguruma's Ruby syntax in Java's. */
  static String translate(String expression) {
    StringBuilder java = new StringBuilder();
    int depth = 0; // of character classes
    for (int i = 0; i < expression.length(); ) {
      String rest = expression.substring(i, Math.min(expression.length(), i + 64));
      int taken = 1;
      if (rest.startsWith("\\p{") || rest.startsWith("\\P{")) {
        taken = Math.max(2, rest.indexOf('}') + 1);
        java.append(property(rest.substring(0, taken)));
      } else if (rest.startsWith("\\") && rest.length() > 1) {
        taken = 2;
        java.append(escape(rest.substring(0, 2), depth > 0));
      } else if (depth > 0 && rest.startsWith("[:") && rest.indexOf(":]") > 0) {
        taken = rest.indexOf(":]") + 2;
        java.append(posix(rest.substring(2, taken - 2)));
      } else if (depth == 0 && rest.startsWith("(?")) {
        taken = flags(rest);
        java.append(rest.substring(0, taken).replace('m', 's'));
      } else if (depth == 0 && rest.startsWith("{,")) {
        java.append("{0");
      } else {
        depth += rest.startsWith("[") ? 1 : rest.startsWith("]") && depth > 0 ? -1 : 0;
        java.append(rest.charAt(0));
      }
      i += taken;
    }
    return java.toString();
  }

  /** The length of the start of a group with flags; 1 if it is another group. */
  private static int flags(String rest) {
    int end = 2;
    while (end < rest.length() && "imx-".indexOf(rest.charAt(end)) >= 0) {
      end++;
    }
    boolean isFlags = end > 2 && end < rest.length() && ":)".indexOf(rest.charAt(end)) >= 0;
    return isFlags ? end : 1;
  }

  private static String escape(String escaped, boolean inClass) {
    return switch (escaped.charAt(1)) {
      case 'h' -> "[0-9a-fA-F]";
      case 'H' -> "[^0-9a-fA-F]";
      case 'v' -> "\\x0B";
      case 'w' -> inClass ? WORD : "[" + WORD + FRACTIONS + "]";
      case 'W' -> "[[^\\w" + (inClass ? "" : FRACTIONS) + "]" + JOINERS + "]";
      default -> escaped;
    };
  }

  private static String property(String written) {
    String named = written.substring(3, written.length() - 1);
    boolean negated = named.startsWith("^") != (written.charAt(1) == 'P');
    String plain = named.replace("^", "").replaceAll("[ _-]", "").toLowerCase(Locale.ROOT);
    String name = named.replace("^", "");
    if (CATEGORIES.containsKey(plain)) {
      name = CATEGORIES.get(plain);
    } else if (plain.length() > 2) {
      name = POSIX.containsKey(plain) ? name : script(name);
    }
    return (negated ? "\\P{" : "\\p{") + name + "}";
  }

  private static String script(String name) {
    try {
      return "Is" + UnicodeScript.forName(name).name();
    } catch (IllegalArgumentException e) {
      return name; // Java knows it, or says that it does not
    }
  }

  private static String posix(String name) {
    boolean negated = name.startsWith("^");
    String members = POSIX.get(negated ? name.substring(1) : name);
    if (members == null) {
      throw new PatternSyntaxException("there is no class [:" + name + ":]", name, -1);
    }
    return (negated ? "[^" : "[") + members + "]";
  }
}
