package dev.jformer.data.tokenizer;

/** What GGUF's {@code tokenizer.ggml.token_type} says about a token. */
final class GgufTokenKind {
  static final int NORMAL = 1;
  static final int UNKNOWN = 2;
  static final int CONTROL = 3;

  /** A token that texts are cut at, but which is no special one. */
  static final int USER = 4;

  /** A place in the vocabulary without a token. */
  static final int UNUSED = 5;

  private GgufTokenKind() {}

  static boolean isSpecial(int kind) {
    return kind == UNKNOWN || kind == CONTROL;
  }
}
