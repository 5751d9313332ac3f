package dev.jformer.decode;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * The text of a sequence that grows token by token, up to the first stop string.
 *
 * <p>Only the newest tokens are decoded, together with those of the characters before them, because
 * many tokenizers decode the start of a text differently. Characters that consist of several tokens
 * wait until they are complete. What was shown is never taken back, and all pieces shown make up
 * the text.
 */
final class Transcript {
  private static final char REPLACEMENT = '\uFFFD';

  /** The most replacement characters that the bytes of an incomplete character can become. */
  private static final int BROKEN = 3;

  private final Function<int[], String> decoder;
  private final List<String> stops;
  private final int longestStop;
  private final StringBuilder text = new StringBuilder();
  private int shown;
  private boolean stopped;

  /** The tokens of the last complete characters. */
  private int[] context = {};

  /** The tokens after those. */
  private int[] pending = {};

  /** How many characters of the pending tokens are in the text already. */
  private int taken;

  /**
   * Creates an empty text.
   *
   * @param decoder turns ids into text; null for no text
   * @param stops the stop strings, none of them empty
   */
  Transcript(Function<int[], String> decoder, List<String> stops) {
    this.decoder = decoder;
    this.stops = stops;
    this.longestStop = stops.stream().mapToInt(String::length).max().orElse(0);
  }

  /** Adds a token; nothing more may be added once it has {@link #stopped}. */
  void add(int id) {
    if (decoder == null) {
      return;
    }
    pending = append(pending, id);
    String tail = tail();
    int whole = whole(tail);
    take(tail, whole);
    if (whole == tail.length() && whole > 0) {
      context = pending;
      pending = new int[0];
      taken = 0;
    }
  }

  /** Ends the text and takes the pending characters, even incomplete ones. */
  void end() {
    if (decoder != null && !stopped) {
      String tail = tail();
      take(tail, tail.length());
      pending = new int[0];
    }
  }

  /** Whether a stop string occurred. */
  boolean stopped() {
    return stopped;
  }

  /** The text so far, up to the stop string. */
  String text() {
    return text.toString();
  }

  /**
   * The text that can be shown now and was not before. An end that might begin a stop string is
   * kept back.
   *
   * @param ended whether no more tokens come
   */
  String fresh(boolean ended) {
    int end = ended || stopped ? text.length() : possibleStop();
    String fresh = text.substring(shown, end);
    shown = end;
    return fresh;
  }

  /** The text of the pending tokens. */
  private String tail() {
    String before = decoder.apply(context);
    String all = decoder.apply(concat(context, pending));
    return all.startsWith(before) ? all.substring(before.length()) : decoder.apply(pending);
  }

  /** The number of characters that will not change when tokens are added. */
  private static int whole(String tail) {
    int end = tail.length();
    while (end > 0 && tail.length() - end < BROKEN && tail.charAt(end - 1) == REPLACEMENT) {
      end--;
    }
    return end;
  }

  /** Takes the pending tokens' characters up to {@code end} into the text. */
  private void take(String tail, int end) {
    if (end <= taken) {
      return;
    }
    int from = Math.max(0, text.length() - longestStop + 1);
    text.append(tail, taken, end);
    taken = end;
    int first =
        stops.stream()
            .mapToInt(stop -> text.indexOf(stop, from))
            .filter(i -> i >= 0)
            .min()
            .orElse(-1);
    if (first >= 0) {
      text.setLength(first);
      stopped = true;
    }
  }

  /** The start of the longest end of the text that may be the beginning of a stop string. */
  private int possibleStop() {
    for (int at = Math.max(shown, text.length() - longestStop + 1); at < text.length(); at++) {
      String end = text.substring(at);
      if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
        return at;
      }
    }
    return text.length();
  }

  private static int[] append(int[] ids, int id) {
    return concat(ids, new int[] {id});
  }

  private static int[] concat(int[] first, int[] second) {
    int[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }
}
