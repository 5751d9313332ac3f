package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The words of a sentence as token ids for a model that says something about each word: a word is
 * represented by its first token. A sentence that is longer than the model's length is cut between
 * words into windows that overlap by about a quarter, and each word belongs to the window in which
 * it is farther from a cut.
 *
 * @param windows the windows; none if no word has a token
 * @param cutWords how many words are longer than a window and lose their last tokens
 */
public record WordWindows(List<Window> windows, int cutWords) {
  private static final int OVERLAP = 4;

  /** A window of a sentence. */
  public static final class Window {
    private final int[] ids;
    private final int firstWord;
    private final int[] places;

    private Window(int[] ids, int firstWord, int[] places) {
      this.ids = ids;
      this.firstWord = firstWord;
      this.places = places;
    }

    /** The token ids, special ones included. */
    public int[] ids() {
      return ids.clone();
    }

    /** The number of tokens. */
    public int length() {
      return ids.length;
    }

    /** The index in the sentence of the first word that belongs to this window. */
    public int firstWord() {
      return firstWord;
    }

    /** The number of words that belong to this window, which follow each other. */
    public int words() {
      return places.length;
    }

    /**
     * The index of the first token of a word.
     *
     * @param word its index in the sentence, from {@link #firstWord}
     * @return negative if the tokenizer makes no token of it
     */
    public int place(int word) {
      return places[word - firstWord];
    }
  }

  /**
   * Encodes a sentence.
   *
   * @param longest the most tokens of a window, special ones included
   * @throws IllegalArgumentException if special tokens leave no room for others
   */
  public static WordWindows of(Tokenizer tokenizer, List<String> words, int longest) {
    return new Cutter(tokenizer, words, longest).cut();
  }

  private static final class Cutter {
    private final int[] before;
    private final int[] after;
    private final int room;
    private final List<int[]> pieces = new ArrayList<>();
    private final List<Window> windows = new ArrayList<>();
    private int cutWords;

    Cutter(Tokenizer tokenizer, List<String> words, int longest) {
      this.before = tokenizer.encodePrompt("");
      int[] whole = tokenizer.encodeWhole("", Integer.MAX_VALUE);
      this.after = Arrays.copyOfRange(whole, before.length, whole.length);
      this.room = longest - whole.length;
      if (room < 1) {
        throw new IllegalArgumentException(
            "a model of length "
                + longest
                + " has no room for a word beside "
                + whole.length
                + " special tokens");
      }
      for (String word : words) {
        int[] ids = tokenizer.encode(" " + word); // with the mark of a word's beginning, if any
        if (ids.length > room) {
          cutWords++;
        }
        pieces.add(Arrays.copyOf(ids, Math.min(ids.length, room)));
      }
    }

    WordWindows cut() {
      int from = 0;
      int owned = 0;
      while (from < pieces.size()) {
        int to = end(from);
        int next = to == pieces.size() ? to : next(from, to);
        int ownedTo = to == pieces.size() ? to : (next + to + 1) / 2;
        add(from, to, owned, ownedTo);
        from = next;
        owned = ownedTo;
      }
      return new WordWindows(List.copyOf(windows), cutWords);
    }

    /** The index after the last word of the window that begins with a word. */
    private int end(int from) {
      int count = 0;
      int to = from;
      while (to < pieces.size() && count + pieces.get(to).length <= room) {
        count += pieces.get(to++).length;
      }
      return to;
    }

    /** The first word of the next window, so that it holds the word after this one's last. */
    private int next(int from, int to) {
      int most = Math.min(room / OVERLAP, room - pieces.get(to).length);
      int next = to;
      int count = 0;
      while (next - 1 > from && count + pieces.get(next - 1).length <= most) {
        count += pieces.get(--next).length;
      }
      return next;
    }

    private void add(int from, int to, int ownedFrom, int ownedTo) {
      TokenIds ids = new TokenIds();
      ids.addAll(before);
      int[] places = new int[ownedTo - ownedFrom];
      for (int word = from; word < to; word++) {
        int[] piece = pieces.get(word);
        if (word >= ownedFrom && word < ownedTo) {
          places[word - ownedFrom] = piece.length == 0 ? -1 : ids.size();
        }
        ids.addAll(piece);
      }
      boolean empty = ids.size() == before.length;
      ids.addAll(after);
      if (!empty) {
        windows.add(new Window(ids.toArray(), ownedFrom, places));
      }
    }
  }
}
