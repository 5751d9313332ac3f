package dev.jformer.program;

/** What a program reads, and what it labels. */
public enum LabelKind {
  /** Reads tokens, all of which it knows, and gives each a label. */
  TOKENS,
  /** Reads words, known or not, and gives each a label, such as the tag of a named entity. */
  WORDS,
  /** Reads words, known or not, and gives all of them together one label. */
  TEXTS;

  /** Whether it reads words: any words, with {@link Lexicon#START} before them. */
  public boolean readsWords() {
    return this != TOKENS;
  }
}
