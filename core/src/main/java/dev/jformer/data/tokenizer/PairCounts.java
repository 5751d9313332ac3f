package dev.jformer.data.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ObjLongConsumer;

/**
 * Words as sequences of tokens, and how often each token and each pair of neighbours occurs in
 * them, kept while pairs are merged. Pairs that would make a token of more than {@value
 * WordCounts#LONGEST_TOKEN} bytes are not counted.
 */
final class PairCounts {
  private final List<String> tokens;
  private final Map<String, Integer> ids = new HashMap<>();
  private final List<int[]> words = new ArrayList<>();
  private final int[] frequencies;
  private final Map<Long, Long> pairs = new HashMap<>();
  private final Map<Long, Set<Integer>> places = new HashMap<>();
  private long[] counts;
  private long total;

  /**
   * Begins with one token for each byte.
   *
   * @param tokens those of all bytes, and others; merged ones are appended
   */
  PairCounts(List<String> tokens, WordCounts.Words words) {
    this.tokens = tokens;
    tokens.forEach(token -> ids.put(token, ids.size()));
    this.frequencies = words.frequencies();
    this.counts = new long[2 * tokens.size()];
    for (String spelled : words.spelled()) {
      int[] word = new int[spelled.length()];
      for (int i = 0; i < word.length; i++) {
        word[i] = ids.get(spelled.substring(i, i + 1));
      }
      count(word, frequencies[this.words.size()]);
      this.words.add(word);
    }
    for (int w = 0; w < this.words.size(); w++) {
      int[] word = this.words.get(w);
      for (int i = 0; i + 1 < word.length; i++) {
        change(word[i], word[i + 1], frequencies[w], w);
      }
    }
  }

  private void count(int[] word, int by) {
    for (int token : word) {
      counts[token] += by;
    }
    total += (long) by * word.length;
  }

  /** The number of tokens in all words. */
  long total() {
    return total;
  }

  /** How often a token occurs. */
  long count(int token) {
    return counts[token];
  }

  /** How often a pair occurs. */
  long count(long pair) {
    return pairs.getOrDefault(pair, 0L);
  }

  /** Calls back with all pairs and their counts, in no order. */
  void forEach(ObjLongConsumer<Long> pair) {
    pairs.forEach(pair::accept);
  }

  static long pair(int left, int right) {
    return ((long) left << 32) | right;
  }

  static int left(long pair) {
    return (int) (pair >>> 32);
  }

  static int right(long pair) {
    return (int) pair;
  }

  /**
   * Makes a token of a pair wherever it occurs.
   *
   * @return the pairs that occur more often now
   */
  Set<Long> merge(long pair) {
    int left = left(pair);
    int right = right(pair);
    String joined = tokens.get(left) + tokens.get(right);
    // Another pair may have spelled the same token before.
    int id = ids.computeIfAbsent(joined, text -> tokens.size());
    if (id == tokens.size()) {
      tokens.add(joined);
      counts = id < counts.length ? counts : Arrays.copyOf(counts, 2 * counts.length);
    }
    Set<Long> grown = new HashSet<>();
    for (int w : places.remove(pair)) {
      int[] word = words.get(w);
      int[] merged = merged(word, left, right, id);
      if (merged.length == word.length) {
        continue; // the pair was in this word, and another merge has broken it up
      }
      int frequency = frequencies[w];
      count(word, -frequency);
      count(merged, frequency);
      for (int i = 0; i + 1 < word.length; i++) {
        change(word[i], word[i + 1], -frequency, -1);
      }
      words.set(w, merged);
      for (int i = 0; i + 1 < merged.length; i++) {
        change(merged[i], merged[i + 1], frequency, w);
        boolean isNew = merged[i] == id || merged[i + 1] == id;
        if (isNew && !tooLong(merged[i], merged[i + 1])) {
          grown.add(pair(merged[i], merged[i + 1]));
        }
      }
    }
    pairs.remove(pair);
    return grown;
  }

  private static int[] merged(int[] word, int left, int right, int id) {
    int[] merged = new int[word.length];
    int length = 0;
    for (int i = 0; i < word.length; i++) {
      if (i + 1 < word.length && word[i] == left && word[i + 1] == right) {
        merged[length++] = id;
        i++;
      } else {
        merged[length++] = word[i];
      }
    }
    return Arrays.copyOf(merged, length);
  }

  private void change(int left, int right, int by, int word) {
    if (tooLong(left, right)) {
      return;
    }
    long pair = pair(left, right);
    pairs.merge(pair, (long) by, (a, b) -> a + b == 0 ? null : Long.valueOf(a + b));
    if (word >= 0) {
      places.computeIfAbsent(pair, p -> new HashSet<>()).add(word);
    }
  }

  /** In the tokens' alphabet a byte is a character. */
  private boolean tooLong(int left, int right) {
    return tokens.get(left).length() + tokens.get(right).length() > WordCounts.LONGEST_TOKEN;
  }
}
