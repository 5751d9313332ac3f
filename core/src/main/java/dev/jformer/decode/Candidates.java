package dev.jformer.decode;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * The candidates for the next token.
 *
 * @param ids the tokens, in rising order, so that a draw hardly depends on the order of near ties
 * @param scores of the tokens; none is NaN
 * @param weights in proportion to the tokens' probabilities, 1 for the most probable; tokens of
 *     weight 0 are never drawn
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; lives for one draw
record Candidates(int[] ids, float[] scores, double[] weights) {
  /** The fewest tokens that together have this share of the probability (top-p). */
  Candidates nucleus(double share) {
    return share == 1 ? this : only(Nucleus.indices(scores, weights, share * total()));
  }

  /** The tokens that are at least this fraction as probable as the most probable one (min-p). */
  Candidates atLeast(double fraction) {
    if (fraction == 0) {
      return this;
    }
    int[] indices = new int[ids.length];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      if (weights[i] >= fraction) {
        indices[count++] = i;
      }
    }
    return only(Arrays.copyOf(indices, count));
  }

  private Candidates only(int[] indices) {
    int[] someIds = new int[indices.length];
    float[] someScores = new float[indices.length];
    double[] someWeights = new double[indices.length];
    for (int i = 0; i < indices.length; i++) {
      someIds[i] = ids[indices[i]];
      someScores[i] = scores[indices[i]];
      someWeights[i] = weights[indices[i]];
    }
    return new Candidates(someIds, someScores, someWeights);
  }

  /** Draws a token. */
  int draw(RandomGenerator random) {
    double at = random.nextDouble() * total();
    int last = -1;
    for (int i = 0; i < ids.length; i++) {
      if (weights[i] > 0) {
        at -= weights[i];
        last = i;
        if (at < 0) {
          break;
        }
      }
    }
    return ids[last];
  }

  /** The probability of a token. */
  double probability(int id) {
    int index = Arrays.binarySearch(ids, id);
    return index < 0 ? 0 : weights[index] / total();
  }

  /** The tokens that are more probable here than in {@code other}, weighted by the difference. */
  Candidates without(Candidates other) {
    double total = total();
    double[] rest = new double[weights.length];
    for (int i = 0; i < rest.length; i++) {
      rest[i] = Math.max(0, weights[i] / total - other.probability(ids[i]));
    }
    return new Candidates(ids, scores, rest);
  }

  private double total() {
    double total = 0;
    for (double weight : weights) {
      total += weight;
    }
    return total;
  }
}
