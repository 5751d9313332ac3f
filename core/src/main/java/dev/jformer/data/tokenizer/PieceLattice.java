package dev.jformer.data.tokenizer;

import java.util.Arrays;
import java.util.List;

/**
 * All ways to cut words into pieces of a vocabulary, in which each piece has the logarithm of a
 * probability, and pieces are independent.
 */
final class PieceLattice {
  private final PairTable children; // of a node and a character
  private final int[] pieceAt; // the piece that ends in a node, or -1
  private final double[] scores;
  private final int[] lengths;

  private double[] forward = new double[16];
  private double[] backward = new double[16];
  private int[] last = new int[16];

  /**
   * Begins with pieces and scores.
   *
   * @param scores logarithms of probabilities; a piece with that of 0 is not used
   */
  PieceLattice(List<String> pieces, double[] scores) {
    this.scores = scores;
    lengths = pieces.stream().mapToInt(String::length).toArray();
    int nodes = 1 + Arrays.stream(lengths).sum();
    children = new PairTable(nodes);
    pieceAt = new int[nodes];
    Arrays.fill(pieceAt, -1);
    int used = 1;
    for (int piece = 0; piece < lengths.length; piece++) {
      if (scores[piece] == Double.NEGATIVE_INFINITY) {
        continue;
      }
      int node = 0;
      for (char c : pieces.get(piece).toCharArray()) {
        int child = children.get(node, c);
        if (child < 0) {
          child = used++;
          children.put(node, c, child);
        }
        node = child;
      }
      pieceAt[node] = piece;
    }
  }

  private void reserve(int length) {
    if (forward.length <= length) {
      forward = new double[2 * length + 1];
      backward = new double[2 * length + 1];
      last = new int[2 * length + 1];
    }
  }

  /**
   * Finds the most probable pieces of a word.
   *
   * @param without a piece that may not be used; -1 for none
   * @return the pieces in order; null if the word cannot be cut
   */
  int[] best(String word, int without) {
    int length = word.length();
    reserve(length);
    Arrays.fill(forward, 1, length + 1, Double.NEGATIVE_INFINITY);
    forward[0] = 0;
    for (int at = 0; at < length; at++) {
      if (forward[at] == Double.NEGATIVE_INFINITY) {
        continue;
      }
      int node = 0;
      for (int end = at + 1; end <= length; end++) {
        node = children.get(node, word.charAt(end - 1));
        if (node < 0) {
          break;
        }
        int piece = pieceAt[node];
        if (piece >= 0 && piece != without && forward[at] + scores[piece] > forward[end]) {
          forward[end] = forward[at] + scores[piece];
          last[end] = piece;
        }
      }
    }
    if (forward[length] == Double.NEGATIVE_INFINITY) {
      return null;
    }
    int count = 0;
    for (int end = length; end > 0; end -= lengths[last[end]]) {
      count++;
    }
    int[] pieces = new int[count];
    for (int end = length; end > 0; end -= lengths[last[end]]) {
      pieces[--count] = last[end];
    }
    return pieces;
  }

  /**
   * Adds how often each piece is expected in a word, over all ways to cut it.
   *
   * @param weight how often the word occurs
   * @param counts the expected counts, added to
   * @return the logarithm of the word's probability
   */
  double expect(String word, double weight, double[] counts) {
    int length = word.length();
    reserve(length);
    Arrays.fill(forward, 1, length + 1, Double.NEGATIVE_INFINITY);
    Arrays.fill(backward, 0, length, Double.NEGATIVE_INFINITY);
    forward[0] = 0;
    backward[length] = 0;
    for (int at = 0; at < length; at++) {
      int node = 0;
      for (int end = at + 1; end <= length; end++) {
        node = children.get(node, word.charAt(end - 1));
        if (node < 0) {
          break;
        }
        if (pieceAt[node] >= 0) {
          forward[end] = sum(forward[end], forward[at] + scores[pieceAt[node]]);
        }
      }
    }
    double all = forward[length];
    for (int at = length - 1; at >= 0; at--) {
      int node = 0;
      for (int end = at + 1; end <= length; end++) {
        node = children.get(node, word.charAt(end - 1));
        if (node < 0) {
          break;
        }
        int piece = pieceAt[node];
        if (piece >= 0) {
          double rest = scores[piece] + backward[end];
          counts[piece] += weight * Math.exp(forward[at] + rest - all);
          backward[at] = sum(backward[at], rest);
        }
      }
    }
    return all;
  }

  /** log(exp a + exp b). */
  private static double sum(double a, double b) {
    double high = Math.max(a, b);
    return high == Double.NEGATIVE_INFINITY
        ? high
        : high + Math.log1p(Math.exp(Math.min(a, b) - high));
  }
}
