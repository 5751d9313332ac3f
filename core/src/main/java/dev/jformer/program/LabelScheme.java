package dev.jformer.program;

import java.util.List;

/**
 * What sequences consist of and how they are labelled: what a program has to know of its data.
 *
 * @param tokens the tokens; a token's code is its place
 * @param labels the labels; a label's number is its place
 * @param length the most tokens of a sequence; {@link Lexicon#START} is one
 * @param causal whether a token sees only those before it and itself
 * @param kind what is read and what is labelled
 */
public record LabelScheme(
    List<String> tokens, List<String> labels, int length, boolean causal, LabelKind kind) {
  /**
   * Copies the lists.
   *
   * @throws IllegalArgumentException if words are read and a token for unknown words is missing, or
   *     one has a space
   */
  public LabelScheme {
    tokens = List.copyOf(tokens);
    labels = List.copyOf(labels);
    if (kind.readsWords() && !tokens.containsAll(Lexicon.SPECIAL)) {
      throw new IllegalArgumentException(
          "the tokens of a program that reads words have to contain " + Lexicon.SPECIAL);
    }
    if (kind.readsWords()) {
      tokens.stream()
          .filter(token -> token.isEmpty() || token.chars().anyMatch(Lexicon::isSpace))
          .findFirst()
          .ifPresent(
              token -> {
                throw new IllegalArgumentException(
                    "the word '" + token + "' is empty or has a space: expected words without");
              });
    }
  }

  /** Returns this scheme for sequences of other lengths. */
  public LabelScheme withLength(int other) {
    return new LabelScheme(tokens, labels, other, causal, kind);
  }

  /** The most words or tokens that can be given: without {@link Lexicon#START}. */
  public int mostInputs() {
    return kind.readsWords() ? length - 1 : length;
  }
}
