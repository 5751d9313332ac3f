package dev.jformer.data;

import java.util.Arrays;

/** Decodes ids as they come, never showing half a character. */
public final class StreamingDecoder {
  private static final char REPLACEMENT = '\uFFFD';
  private static final int LONGEST = 8;

  private final Tokenizer tokenizer;
  private int[] pending = new int[0];
  private int shown;

  /** A decoder at the start of a text. */
  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text that this token completes; empty while a character is not whole. */
  public String next(int id) {
    pending = Arrays.copyOf(pending, pending.length + 1);
    pending[pending.length - 1] = id;
    String text = tokenizer.decode(pending);
    boolean whole = text.isEmpty() || text.charAt(text.length() - 1) != REPLACEMENT;
    if (!whole && pending.length < LONGEST) {
      return "";
    }
    String fresh = text.substring(Math.min(shown, text.length()));
    // The last token stays, because some tokenizers decode a token differently at the start of a
    // text.
    pending = new int[] {id};
    shown = tokenizer.decode(pending).length();
    return fresh;
  }

  /** What is left when no more tokens come. */
  public String end() {
    String text = tokenizer.decode(pending);
    String rest = text.substring(Math.min(shown, text.length()));
    pending = new int[0];
    shown = 0;
    return rest;
  }
}
