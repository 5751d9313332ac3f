package dev.jformer.data.jinja;

import dev.jformer.data.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into text and the tokens of its tags. The first line break after a block is left
 * out ({@code trim_blocks}), and so are blanks between the start of a line and a block ({@code
 * lstrip_blocks}).
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", "<=", ">=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", "<", ">", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /** Whether the text so far ends with a line break, or there is none. */
  private boolean startsLine = true;

  private Lexer(String source) {
    this.source = source;
  }

  /**
   * The tokens of a template, with one of kind {@link Kind#END} at the end.
   *
   * @throws JinjaException if a tag is not closed or holds what is no token
   */
  static List<Token> tokens(String source) {
    String text = source.replace("\r\n", "\n").replace('\r', '\n');
    if (text.endsWith("\n")) {
      text = text.substring(0, text.length() - 1);
    }
    return new Lexer(text).run();
  }

  private List<Token> run() {
    while (at < source.length()) {
      int tag = nextTag(at);
      if (tag < 0) {
        text(source.substring(at));
        advance(source.length());
        break;
      }
      text(before(tag));
      advance(tag);
      tag();
    }
    add(Kind.END, "");
    return tokens;
  }

  /** Where the next tag begins, or -1. */
  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  /** The text before a tag, without the blanks that the tag takes away. */
  private String before(int tag) {
    String text = source.substring(at, tag);
    char sign = charAt(tag + 2);
    if (sign == '-') {
      return Characters.stripEnd(text);
    }
    boolean isVariable = source.charAt(tag + 1) == '{';
    if (sign == '+' || isVariable) {
      return text;
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    if ((lineStart > 0 || startsLine) && Characters.isBlank(text, lineStart)) {
      return text.substring(0, lineStart);
    }
    return text;
  }

  private char charAt(int index) {
    return index < source.length() ? source.charAt(index) : 0;
  }

  private void text(String text) {
    if (!text.isEmpty()) {
      add(Kind.DATA, text);
    }
  }

  private void tag() {
    char kind = source.charAt(at + 1);
    int start = line;
    int inside = at + 2 + (charAt(at + 2) == '-' || charAt(at + 2) == '+' ? 1 : 0);
    if (kind == '#') {
      int end = source.indexOf("#}", inside);
      if (end < 0) {
        throw new JinjaException("the comment that begins in line " + start + " has no '#}'");
      }
      char sign = end > inside ? source.charAt(end - 1) : 0;
      advance(end + 2);
      after(sign, true);
    } else if (kind == '{') {
      add(Kind.VARIABLE_BEGIN, "{{");
      advance(inside);
      inside("}}", Kind.VARIABLE_END);
    } else if (!raw(inside)) {
      add(Kind.BLOCK_BEGIN, "{%");
      advance(inside);
      inside("%}", Kind.BLOCK_END);
    }
  }

  /** Takes what follows the end of a tag and belongs to it. */
  private void after(char sign, boolean trims) {
    int from = at;
    int end = at;
    if (sign == '-') {
      while (end < source.length() && Characters.isSpace(source.charAt(end))) {
        end++;
      }
    } else if (trims && sign != '+' && charAt(end) == '\n') {
      end++;
    }
    advance(end);
    startsLine = end > from && source.charAt(end - 1) == '\n';
  }

  /** Reads a {@code raw} block, whose content is text. */
  private boolean raw(int inside) {
    int name = skipBlanks(inside);
    if (!source.startsWith("raw", name)) {
      return false;
    }
    int close = skipBlanks(name + 3);
    char sign = charAt(close);
    close += sign == '-' || sign == '+' ? 1 : 0;
    if (!source.startsWith("%}", close)) {
      return false;
    }
    int start = line;
    advance(close + 2);
    after(sign, true);
    for (int end = source.indexOf("{%", at); end >= 0; end = source.indexOf("{%", end + 1)) {
      int word = skipBlanks(end + 2 + (charAt(end + 2) == '-' || charAt(end + 2) == '+' ? 1 : 0));
      int closing = skipBlanks(word + 6);
      char endSign = charAt(closing);
      closing += endSign == '-' || endSign == '+' ? 1 : 0;
      if (source.startsWith("endraw", word) && source.startsWith("%}", closing)) {
        text(before(end));
        advance(closing + 2);
        after(endSign, true);
        return true;
      }
    }
    throw new JinjaException("the raw block that begins in line " + start + " has no endraw");
  }

  private int skipBlanks(int from) {
    int i = from;
    while (i < source.length() && Characters.isSpace(source.charAt(i))) {
      i++;
    }
    return i;
  }

  /** Reads the tokens up to the end of a tag. */
  private void inside(String end, Kind endKind) {
    Deque<Character> open = new ArrayDeque<>();
    int start = line;
    while (true) {
      advance(skipBlanks(at));
      if (at >= source.length()) {
        throw new JinjaException("the tag that begins in line " + start + " has no '" + end + "'");
      }
      if (open.isEmpty()) {
        char sign = source.charAt(at);
        int skip = sign == '-' || (sign == '+' && endKind == Kind.BLOCK_END) ? 1 : 0;
        if (source.startsWith(end, at + skip)) {
          add(endKind, end);
          advance(at + skip + 2);
          after(skip == 0 ? 0 : sign, endKind == Kind.BLOCK_END);
          return;
        }
      }
      token(open);
    }
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(at);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (Character.isJavaIdentifierStart(c) && c != '$') {
      int end = at + 1;
      while (Character.isJavaIdentifierPart(charAt(end)) && charAt(end) > ' ') {
        end++;
      }
      take(Kind.NAME, end);
    } else if (c >= '0' && c <= '9') {
      number();
    } else {
      operator(open);
    }
  }

  private void take(Kind kind, int end) {
    add(kind, source.substring(at, end));
    advance(end);
  }

  private void number() {
    int end = at;
    while (isDigit(charAt(end))) {
      end++;
    }
    boolean isFloat = false;
    boolean follows = at > 0 && source.charAt(at - 1) == '.'; // a.0.b are two indices
    if (!follows && charAt(end) == '.' && isDigit(charAt(end + 1))) {
      isFloat = true;
      end++;
      while (isDigit(charAt(end))) {
        end++;
      }
    }
    if (charAt(end) == 'e' || charAt(end) == 'E') {
      int digits = end + 1 + (charAt(end + 1) == '-' || charAt(end + 1) == '+' ? 1 : 0);
      if (isDigit(charAt(digits))) {
        isFloat = true;
        end = digits;
        while (isDigit(charAt(end))) {
          end++;
        }
      }
    }
    take(isFloat ? Kind.FLOAT : Kind.INTEGER, end);
  }

  private static boolean isDigit(char c) {
    return (c >= '0' && c <= '9') || c == '_';
  }

  private void string(char quote) {
    int end = at + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw new JinjaException("the string that begins in line " + line + " has no end");
    }
    add(Kind.STRING, Escapes.decode(source.substring(at + 1, end)));
    advance(end + 1);
  }

  private void operator(Deque<Character> open) {
    String operator =
        OPERATORS.stream().filter(o -> source.startsWith(o, at)).findFirst().orElse(null);
    if (operator == null) {
      throw new JinjaException(
          "line " + line + " has the character '" + source.charAt(at) + "' inside a tag");
    }
    switch (operator) {
      case "(" -> open.push(')');
      case "[" -> open.push(']');
      case "{" -> open.push('}');
      case ")", "]", "}" -> {
        if (open.isEmpty() || open.pop() != operator.charAt(0)) {
          throw new JinjaException("line " + line + " has '" + operator + "' without its opening");
        }
      }
      default -> {}
    }
    take(Kind.OPERATOR, at + operator.length());
  }

  private void add(Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }

  private void advance(int to) {
    for (int i = at; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    at = to;
  }
}
