package dev.jformer.decode;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * Tokens that may come next.
 *
 * @param ids the tokens, rising: so a draw hardly depends on how near ties are ordered
 * @param scores of each; none is NaN
 * @param weights of each, in proportion to its probability, 1 for the most probable; those with
 *     weight 0 are never drawn
 */
@SuppressWarnings("ArrayRecordComponent") // never compared; lives for one draw
record Candidates(int[] ids, float[] scores, double[] weights) {
  /** The fewest that have this share of the probability. */
  Candidates nucleus(double share) {
    return share == 1 ? this : only(Nucleus.places(scores, weights, share * total()));
  }

  /** Those that are at least this fraction as probable as the most probable. */
  Candidates atLeast(double fraction) {
    if (fraction == 0) {
      return this;
    }
    int[] places = new int[ids.length];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      if (weights[i] >= fraction) {
        places[count++] = i;
      }
    }
    return only(Arrays.copyOf(places, count));
  }

  private Candidates only(int[] places) {
    int[] someIds = new int[places.length];
    float[] someScores = new float[places.length];
    double[] someWeights = new double[places.length];
    for (int i = 0; i < places.length; i++) {
      someIds[i] = ids[places[i]];
      someScores[i] = scores[places[i]];
      someWeights[i] = weights[places[i]];
    }
    return new Candidates(someIds, someScores, someWeights);
  }

  /** Draws one. */
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
    int place = Arrays.binarySearch(ids, id);
    return place < 0 ? 0 : weights[place] / total();
  }

  /** Those that are more probable here than there, by how much. */
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
