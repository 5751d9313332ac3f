package dev.jformer.data.tokenizer;

import java.util.Arrays;

/** A hash table from pairs of token ids to the rank of their merge. */
final class PairTable {
  private static final long EMPTY = -1;

  private final long[] pairs;
  private final int[] ranks;

  PairTable(int size) {
    int places = Integer.highestOneBit(Math.max(8, size)) << 2;
    pairs = new long[places];
    Arrays.fill(pairs, EMPTY);
    ranks = new int[places];
  }

  /** Sets the rank of a pair; a later one replaces an earlier one. */
  void put(int left, int right, int rank) {
    int place = place(left, right);
    pairs[place] = pair(left, right);
    ranks[place] = rank;
  }

  /** The rank of a pair; -1 if it is never merged. */
  int get(int left, int right) {
    int place = place(left, right);
    return pairs[place] == EMPTY ? -1 : ranks[place];
  }

  private static long pair(int left, int right) {
    return ((long) left << 32) | right;
  }

  private int place(int left, int right) {
    long pair = pair(left, right);
    int last = pairs.length - 1;
    int place = (int) ((pair * 0x9E3779B97F4A7C15L) >>> 33) & last;
    while (pairs[place] != EMPTY && pairs[place] != pair) {
      place = (place + 1) & last;
    }
    return place;
  }
}
