package dev.jformer.data.tokenizer;

import java.util.Arrays;

/**
 * Decodes ids as they come, never showing half a character. The pieces make up the text that all
 * ids give at once, but for one case: what was shown is not taken back, though some tokenizers
 * declare a character unreadable when the bytes after it are.
 *
 * <p>A replacement character at the end may be half a character or one of the text. It is shown
 * once something else follows it, or at the end.
 */
public final class StreamingDecoder {
  private static final char REPLACEMENT = '\uFFFD';

  private final Tokenizer tokenizer;

  /**
   * The ids of the piece shown last, then those not shown yet. The former stay because some
   * tokenizers decode a token differently at the start of a text, or among other bytes.
   */
  private int[] ids = new int[0];

  /** How many of {@link #ids} were shown. */
  private int context;

  /** How many characters they are. */
  private int shown;

  /** A decoder at the start of a text. */
  public StreamingDecoder(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** The text that this token completes; empty while a character is not whole. */
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

  /** What is left when no more tokens come. */
  public String end() {
    String text = tokenizer.decode(ids);
    String rest = text.substring(Math.min(shown, text.length()));
    ids = new int[0];
    context = 0;
    shown = 0;
    return rest;
  }
}
