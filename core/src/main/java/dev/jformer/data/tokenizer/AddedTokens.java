package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The tokens that were added to a vocabulary. They are found in a text before anything else happens
 * to it, or after it was normalized, and are encoded as they are.
 */
final class AddedTokens {
  /**
   * A token.
   *
   * @param singleWord whether it is only found where no word goes on before or after it
   * @param leftSpace whether it takes the space before it with it
   * @param rightSpace whether it takes the space after it with it
   * @param normalized whether it is looked for in the normalized text
   */
  record Token(
      String content,
      int id,
      boolean singleWord,
      boolean leftSpace,
      boolean rightSpace,
      boolean normalized) {}

  /**
   * A part of a text.
   *
   * @param token null for a text between tokens
   * @param first whether the text begins with it
   */
  record Part(String text, Token token, boolean first) {}

  private final Map<String, Token> byContent = new LinkedHashMap<>();
  private final Map<Integer, Token> byId = new HashMap<>();
  private final TextNormalizer normalizer;
  private final Node plain = new Node();
  private final Node normalized = new Node();

  /** A start of tokens. */
  private static final class Node {
    private final Map<Character, Node> next = new HashMap<>();
    private Token end;

    void add(String text, Token token) {
      Node node = this;
      for (int i = 0; i < text.length(); i++) {
        node = node.next.computeIfAbsent(text.charAt(i), c -> new Node());
      }
      if (node != this && node.end == null) {
        node.end = token;
      }
    }
  }

  AddedTokens(List<JsonFields> tokens, SubwordModel model, TextNormalizer normalizer) {
    this.normalizer = normalizer;
    int next = model.size();
    for (JsonFields fields : tokens) {
      String content = fields.text("content");
      fields.id("id");
      if (content.isEmpty()) {
        continue;
      }
      // An id in the file counts only if the vocabulary agrees.
      Integer known =
          byContent.containsKey(content)
              ? (Integer) byContent.get(content).id()
              : model.id(content);
      Token token =
          new Token(
              content,
              known == null ? next : known,
              fields.flag("single_word", false),
              fields.flag("lstrip", false),
              fields.flag("rstrip", false),
              fields.flag("normalized", !fields.flag("special", false)));
      next = Math.max(next, token.id() + 1);
      byContent.put(content, token);
      byId.put(token.id(), token);
    }
    byContent
        .values()
        .forEach(
            token -> {
              if (token.normalized()) {
                normalized.add(normalizer.apply(token.content()), token);
              } else {
                plain.add(token.content(), token);
              }
            });
  }

  /** The id of a token; null if it was not added. */
  Integer id(String token) {
    Token added = byContent.get(token);
    return added == null ? null : added.id();
  }

  /** The token of an id; null if it was not added. */
  String token(int id) {
    Token added = byId.get(id);
    return added == null ? null : added.content();
  }

  /** All tokens in the order of the file. */
  Iterable<Token> all() {
    return byContent.values();
  }

  /** Cuts a text into tokens and normalized texts between them. */
  List<Part> split(String text) {
    List<Part> parts = new ArrayList<>();
    for (Part part : split(new Part(text, null, true), plain)) {
      if (part.token() != null) {
        parts.add(part);
      } else {
        parts.addAll(
            split(new Part(normalizer.apply(part.text()), null, part.first()), normalized));
      }
    }
    return parts;
  }

  private static List<Part> split(Part whole, Node tokens) {
    String text = whole.text();
    if (tokens.next.isEmpty()) {
      return text.isEmpty() ? List.of() : List.of(whole);
    }
    List<Part> parts = new ArrayList<>();
    int taken = 0;
    for (int at = 0; at < text.length(); ) {
      int end = longest(tokens, text, at);
      if (end < 0) {
        at++;
        continue;
      }
      Token token = token(tokens, text, at, end);
      if (!token.singleWord() || standsAlone(text, at, end)) {
        int from = token.leftSpace() ? Math.max(spaceBefore(text, at), taken) : at;
        int to = token.rightSpace() ? spaceAfter(text, end) : end;
        if (taken < from) {
          parts.add(new Part(text.substring(taken, from), null, whole.first() && taken == 0));
        }
        parts.add(new Part(token.content(), token, whole.first() && from == 0));
        taken = to;
      }
      at = Math.max(end, taken);
    }
    if (taken < text.length()) {
      parts.add(new Part(text.substring(taken), null, whole.first() && taken == 0));
    }
    return parts;
  }

  /** The end of the longest token that begins at a place; -1 if there is none. */
  private static int longest(Node tokens, String text, int at) {
    Node node = tokens;
    int longest = -1;
    for (int i = at; i < text.length(); i++) {
      node = node.next.get(text.charAt(i));
      if (node == null) {
        break;
      }
      if (node.end != null) {
        longest = i + 1;
      }
    }
    return longest;
  }

  private static Token token(Node tokens, String text, int at, int end) {
    Node node = tokens;
    for (int i = at; i < end; i++) {
      node = node.next.get(text.charAt(i));
    }
    return node.end;
  }

  private static boolean standsAlone(String text, int start, int end) {
    return (start == 0 || !CharacterClasses.isWord(text.codePointBefore(start)))
        && (end == text.length() || !CharacterClasses.isWord(text.codePointAt(end)));
  }

  private static int spaceBefore(String text, int at) {
    int start = at;
    while (start > 0 && CharacterClasses.isSpace(text.charAt(start - 1))) {
      start--;
    }
    return start;
  }

  private static int spaceAfter(String text, int at) {
    int end = at;
    while (end < text.length() && CharacterClasses.isSpace(text.charAt(end))) {
      end++;
    }
    return end;
  }
}
