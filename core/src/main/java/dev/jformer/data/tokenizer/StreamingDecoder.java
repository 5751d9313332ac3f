package dev.jformer.data.tokenizer;

import java.util.Arrays;

/**
 * Decodes token ids one by one and never shows half a character. The pieces make up the text that
 * all ids give at once, with one exception: text that was shown is not taken back, although some
 * tokenizers turn a character into a replacement character when the bytes after it are invalid.
 *
 * <p>A replacement character at the end may be half a character or part of the text. It is shown
 * once another character follows it, or at the end.
 */
public final class StreamingDecoder {
  private static final char REPLACEMENT = '\uFFFD';

  private final Tokenizer tokenizer;

  /**
   * The ids of the piece shown last, then those not shown yet. The former are kept because some
   * tokenizers decode a token differently at the start of a text, or among other bytes.
   */
  private int[] ids = new int[0];

  /** Number of {@link #ids} that were shown. */
  private int context;

  /** Number of characters of these. */
  private int shown;

  /** Creates a decoder at the start of a text. */
  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Returns the text that this token completes; empty while a character is incomplete. */
  public String next(int id) {
    ids = Arrays.copyOf(ids, ids.length + 1);
    ids[ids.length - 1] = id;
    String text = tokenizer.decode(ids);
    if (text.length() <= shown || text.charAt(text.length() - 1) == REPLACEMENT) {
      return "";
    }
    String fresh = text.substring(shown);
    ids = Arrays.copyOfRange(ids, context, ids.length);
    context = ids.length;
    shown = tokenizer.decode(ids).length();
    return fresh;
  }

  /** Ends the text and returns what was not shown yet. */
  public String end() {
    String text = tokenizer.decode(ids);
    String rest = text.substring(Math.min(shown, text.length()));
    ids = new int[0];
    context = 0;
    shown = 0;
    return rest;
  }
}
