package dev.jformer.data.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;
import java.util.function.Predicate;

/** Methods of Python's strings. */
final class StringMethods {
  private StringMethods() {}

  /** A method of a string; null if it has none of this name. */
  static Callable of(String text, String name) {
    Callable method = method(text, name);
    return method == null
        ? null
        : (arguments, frame) -> {
          Object first = arguments.positional().isEmpty() ? null : arguments.positional().get(0);
          int searched = first instanceof String part ? part.length() : 1;
          frame.budget().search(text.length(), searched);
          return method.call(arguments, frame);
        };
  }

  private static Callable method(String text, String name) {
    return switch (name) {
      case "strip" ->
          (a, f) -> Characters.stripStart(Characters.stripEnd(text, removed(a)), removed(a));
      case "lstrip" -> (a, f) -> Characters.stripStart(text, removed(a));
      case "rstrip" -> (a, f) -> Characters.stripEnd(text, removed(a));
      case "split" -> (a, f) -> made(split(text, a), f);
      case "rsplit" -> (a, f) -> made(splitFromEnd(text, a), f);
      case "splitlines" -> (a, f) -> made(lines(text, a.flag(0, "keepends")), f);
      case "startswith" -> (a, f) -> any(a, text::startsWith);
      case "endswith" -> (a, f) -> any(a, text::endsWith);
      case "replace" ->
          (a, f) -> replace(text, a.text(0, "old"), a.text(1, "new"), a.integer(2, "count", -1), f);
      case "lower", "casefold" -> (a, f) -> text.toLowerCase(Locale.ROOT);
      case "upper" -> (a, f) -> text.toUpperCase(Locale.ROOT);
      case "capitalize" -> (a, f) -> capitalize(text);
      case "title" -> (a, f) -> title(text);
      case "swapcase" -> (a, f) -> swapCase(text);
      case "join" -> (a, f) -> join(text, Values.items(a.require(0, "iterable"), f.budget()), f);
      case "find" -> (a, f) -> points(text, text.indexOf(a.text(0, "sub")));
      case "rfind" -> (a, f) -> points(text, text.lastIndexOf(a.text(0, "sub")));
      case "index" -> (a, f) -> found(points(text, text.indexOf(a.text(0, "sub"))));
      case "rindex" -> (a, f) -> found(points(text, text.lastIndexOf(a.text(0, "sub"))));
      case "count" -> (a, f) -> count(text, a.text(0, "sub"));
      case "isdigit", "isdecimal", "isnumeric" -> (a, f) -> all(text, Character::isDigit);
      case "isalpha" -> (a, f) -> all(text, Character::isLetter);
      case "isalnum" -> (a, f) -> all(text, Character::isLetterOrDigit);
      case "isspace" -> (a, f) -> all(text, Characters::isSpace);
      case "islower" -> (a, f) -> isCase(text, Character::isLowerCase, Character::isUpperCase);
      case "isupper" -> (a, f) -> isCase(text, Character::isUpperCase, Character::isLowerCase);
      case "format" -> (a, f) -> Formats.braces(text, a, f.budget());
      case "removeprefix" ->
          (a, f) ->
              text.startsWith(a.text(0, "prefix"))
                  ? text.substring(a.text(0, "prefix").length())
                  : text;
      case "removesuffix" ->
          (a, f) ->
              text.endsWith(a.text(0, "suffix"))
                  ? text.substring(0, text.length() - a.text(0, "suffix").length())
                  : text;
      case "partition" ->
          (a, f) -> {
            String separator = separator(a.require(0, "sep"));
            return partition(text, separator, text.indexOf(separator));
          };
      case "rpartition" ->
          (a, f) -> {
            String separator = separator(a.require(0, "sep"));
            int at = text.lastIndexOf(separator);
            return at < 0 ? Tuple.of("", "", text) : partition(text, separator, at);
          };
      case "center" -> (a, f) -> pad(text, a, f, 2);
      case "ljust" -> (a, f) -> pad(text, a, f, 0);
      case "rjust" -> (a, f) -> pad(text, a, f, 1);
      case "zfill" -> (a, f) -> zeros(text, a.integer(0, "width", 0), f);
      default -> null;
    };
  }

  private static List<Object> made(List<Object> parts, Frame frame) {
    frame.budget().make(parts.size());
    return parts;
  }

  /** The characters that a strip takes away. */
  private static IntPredicate removed(Arguments arguments) {
    Object given = arguments.get(0, "chars", null);
    if (given == null) {
      return Characters::isSpace;
    }
    String characters = Values.string(given, "chars");
    return c -> characters.indexOf(c) >= 0;
  }

  private static boolean any(Arguments arguments, Predicate<String> test) {
    Object given = arguments.require(0, "prefix");
    if (given instanceof Tuple choices) {
      return choices.stream().anyMatch(choice -> test.test(Values.string(choice, "prefix")));
    }
    return test.test(Values.string(given, "prefix"));
  }

  private static List<Object> split(String text, Arguments arguments) {
    Object given = arguments.get(0, "sep", null);
    int most = arguments.integer(1, "maxsplit", -1);
    return given == null ? words(text, most) : pieces(text, separator(given), most);
  }

  private static String separator(Object given) {
    String separator = Values.string(given, "sep");
    if (separator.isEmpty()) {
      throw new JinjaException("the separator of a split is empty");
    }
    return separator;
  }

  private static List<Object> pieces(String text, String separator, int most) {
    List<Object> parts = new ArrayList<>();
    int from = 0;
    for (int at = text.indexOf(separator); at >= 0 && parts.size() != most; ) {
      parts.add(text.substring(from, at));
      from = at + separator.length();
      at = text.indexOf(separator, from);
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> words(String text, int most) {
    List<Object> parts = new ArrayList<>();
    int at = start(text, 0);
    while (at < text.length()) {
      if (parts.size() == most) {
        parts.add(text.substring(at));
        return parts;
      }
      int end = at;
      while (end < text.length() && !Characters.isSpace(text.charAt(end))) {
        end++;
      }
      parts.add(text.substring(at, end));
      at = start(text, end);
    }
    return parts;
  }

  /** Where the next word begins. */
  private static int start(String text, int from) {
    int at = from;
    while (at < text.length() && Characters.isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }

  private static List<Object> splitFromEnd(String text, Arguments arguments) {
    Object given = arguments.get(0, "sep", null);
    int most = arguments.integer(1, "maxsplit", -1);
    if (given == null && most < 0) {
      return words(text, most);
    }
    if (given == null) {
      throw new JinjaException("rsplit with maxsplit needs a separator");
    }
    String separator = separator(given);
    List<Object> all = pieces(text, separator, -1);
    int joined = most < 0 ? 1 : Math.max(1, all.size() - most);
    List<Object> parts = new ArrayList<>();
    parts.add(
        String.join(separator, all.subList(0, joined).stream().map(String.class::cast).toList()));
    parts.addAll(all.subList(joined, all.size()));
    return parts;
  }

  private static List<Object> lines(String text, boolean keepEnds) {
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ("\n\r\u000b\f\u001c\u001d\u001e\u0085\u2028\u2029".indexOf(c) >= 0) {
        int end = c == '\r' && i + 1 < text.length() && text.charAt(i + 1) == '\n' ? i + 2 : i + 1;
        lines.add(text.substring(from, keepEnds ? end : i));
        from = end;
        i = end - 1;
      }
    }
    if (from < text.length()) {
      lines.add(text.substring(from));
    }
    return lines;
  }

  /** Replaces a part of a string; all its occurrences if {@code most} is negative. */
  static String replace(String text, String old, String with, int most, Frame frame) {
    frame.budget().search(text.length(), old.length());
    StringBuilder out = new StringBuilder();
    int from = 0;
    int done = 0;
    // nothing stands before each character and at the end
    int skip = old.isEmpty() ? 1 : 0;
    for (int at = text.indexOf(old); at >= 0 && done != most; at = next(text, old, from, skip)) {
      out.append(text, from, at).append(with);
      frame.budget().step();
      frame.budget().bound(out.length());
      from = at + old.length();
      done++;
    }
    frame.budget().make(out.length());
    return out.append(text.substring(from)).toString();
  }

  private static int next(String text, String old, int from, int skip) {
    return from + skip > text.length() ? -1 : text.indexOf(old, from + skip);
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  private static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      out.appendCodePoint(inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = Character.isLetter(c);
    }
    return out.toString();
  }

  private static String swapCase(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c ->
                out.appendCodePoint(
                    Character.isUpperCase(c)
                        ? Character.toLowerCase(c)
                        : Character.toUpperCase(c)));
    return out.toString();
  }

  private static String join(String separator, List<Object> items, Frame frame) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      out.append(i == 0 ? "" : separator)
          .append(Values.string(items.get(i), "an item to be joined"));
      frame.budget().step();
      frame.budget().bound(out.length());
    }
    frame.budget().make(out.length());
    return out.toString();
  }

  private static long points(String text, int at) {
    return at < 0 ? -1 : text.codePointCount(0, at);
  }

  private static long found(long at) {
    if (at < 0) {
      throw new JinjaException("the substring is not found");
    }
    return at;
  }

  private static long count(String text, String part) {
    return part.isEmpty() ? Values.length(text) + 1 : pieces(text, part, -1).size() - 1L;
  }

  private static boolean all(String text, IntPredicate test) {
    return !text.isEmpty() && text.codePoints().allMatch(test);
  }

  private static boolean isCase(String text, IntPredicate wanted, IntPredicate other) {
    return text.codePoints().anyMatch(wanted) && text.codePoints().noneMatch(other);
  }

  private static Tuple partition(String text, String separator, int at) {
    return at < 0
        ? Tuple.of(text, "", "")
        : Tuple.of(text.substring(0, at), separator, text.substring(at + separator.length()));
  }

  /** Pads at the end (0), the beginning (1) or both (2). */
  private static String pad(String text, Arguments arguments, Frame frame, int where) {
    int missing = (int) Math.max(0, arguments.integer(0, "width", 0) - Values.length(text));
    String fill = arguments.text(1, "fillchar", " ");
    frame.budget().make(missing);
    int before = where == 2 ? center(missing, arguments.integer(0, "width", 0)) : where * missing;
    return fill.repeat(before) + text + fill.repeat(missing - before);
  }

  private static int center(int missing, int width) {
    return missing / 2 + (missing & width & 1);
  }

  private static String zeros(String text, int width, Frame frame) {
    int missing = Math.max(0, width - text.length());
    frame.budget().make(missing);
    boolean signed = text.startsWith("-") || text.startsWith("+");
    return signed
        ? text.charAt(0) + "0".repeat(missing) + text.substring(1)
        : "0".repeat(missing) + text;
  }
}
