package dev.jformer.decode;

import java.util.Arrays;

/**
 * The nucleus that top-p sampling draws from (<a href="https://arxiv.org/abs/1904.09751">The
 * Curious Case of Neural Text Degeneration</a>): the fewest tokens, from the highest score down,
 * that together have at least a given weight. Of equal scores the higher id comes first.
 *
 * <p>It is found like the k-th largest element by quickselect, with weights in place of counts: in
 * linear time on average, without sorting.
 */
final class Nucleus {
  private final double[] weights;

  /** A score and its index in one number, which orders by both. */
  private final long[] keys;

  private Nucleus(float[] scores, double[] weights) {
    this.weights = weights;
    this.keys = new long[scores.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = key(scores[i], i);
    }
  }

  private static long key(float score, int index) {
    int bits = Float.floatToIntBits(score + 0f); // both zeros are the same
    return (long) (bits ^ (bits >> 31 & 0x7FFFFFFF)) << 32 | index;
  }

  /**
   * The indices of the nucleus, in rising order.
   *
   * @param scores in the order of the ids, none of them NaN
   * @param weights of each
   * @param enough the least total weight of the nucleus, above 0; if that is not reached, the
   *     nucleus is everything
   */
  static int[] indices(float[] scores, double[] weights, double enough) {
    long last = new Nucleus(scores, weights).last(enough);
    int[] indices = new int[scores.length];
    int count = 0;
    for (int i = 0; i < scores.length; i++) {
      if (key(scores[i], i) >= last) {
        indices[count++] = i;
      }
    }
    return Arrays.copyOf(indices, count);
  }

  /** The smallest key that belongs to the nucleus. */
  private long last(double enough) {
    long last = Long.MAX_VALUE;
    double before = 0;
    int from = 0;
    int to = keys.length;
    // Keys before index from belong to it; keys at index to and later do not.
    while (from < to && before < enough) {
      int middle = partition(from, to);
      double above = 0;
      for (int i = from; i < middle; i++) {
        above += weights[(int) keys[i]];
      }
      if (before + above >= enough) {
        to = middle;
      } else {
        last = keys[middle];
        before += above + weights[(int) last];
        from = middle + 1;
      }
    }
    return last;
  }

  /** Puts keys larger than a pivot before it and all others after it; returns the pivot's index. */
  private int partition(int from, int to) {
    swap(median(from, (from + to) >>> 1, to - 1), to - 1);
    long pivot = keys[to - 1];
    int middle = from;
    for (int i = from; i < to - 1; i++) {
      if (keys[i] > pivot) {
        swap(i, middle++);
      }
    }
    swap(middle, to - 1);
    return middle;
  }

  private int median(int a, int b, int c) {
    boolean ab = keys[a] < keys[b];
    boolean bc = keys[b] < keys[c];
    boolean ac = keys[a] < keys[c];
    return ab == bc ? b : ab == ac ? c : a;
  }

  private void swap(int first, int second) {
    long key = keys[first];
    keys[first] = keys[second];
    keys[second] = key;
  }
}
