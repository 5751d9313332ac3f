package dev.jformer.decode;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.BitSet;
import java.util.random.RandomGenerator;

/**
 * Chooses the next token from logits. Penalty and temperature are applied in float32, as in
 * transformers, because rounding decides which tokens tie; probabilities are computed in double
 * precision.
 */
final class Sampler {
  private final Sampling sampling;

  Sampler(Sampling sampling) {
    this.sampling = sampling;
  }

  /**
   * Chooses the next token.
   *
   * @param logits [V]; the array is changed
   * @param seen the tokens that occurred, prompt included
   * @param random for the draw; not used if greedy
   * @throws IllegalStateException if a logit is NaN, or the largest is infinite
   */
  int next(float[] logits, BitSet seen, RandomGenerator random) {
    if (sampling.isGreedy()) {
      penalize(logits, seen);
      return largest(logits);
    }
    return candidates(logits, seen).draw(random);
  }

  /** Whether the most probable token is always taken. */
  boolean isGreedy() {
    return sampling.isGreedy();
  }

  /** The candidates after top-k, top-p and min-p; the array of logits [V] is changed. */
  Candidates candidates(float[] logits, BitSet seen) {
    penalize(logits, seen);
    float highest = applyTemperature(logits, logits[largest(logits)]);
    return topK(logits, highest).nucleus(sampling.topP()).atLeast(sampling.minP());
  }

  private void penalize(float[] scores, BitSet seen) {
    float penalty = (float) sampling.repetitionPenalty();
    if (penalty != 1) {
      for (int id = seen.nextSetBit(0); id >= 0; id = seen.nextSetBit(id + 1)) {
        scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
      }
    }
  }

  /** The token with the largest score; of equal scores the first. */
  private static int largest(float[] scores) {
    int best = 0;
    for (int i = 0; i < scores.length; i++) {
      if (scores[i] > scores[best]) {
        best = i;
      } else if (Float.isNaN(scores[i])) {
        throw new LogitsException("the logit of token " + i + " is NaN: expected a number");
      }
    }
    if (Float.isInfinite(scores[best])) {
      throw new LogitsException(
          "the largest logit is " + scores[best] + ": expected a finite number");
    }
    return best;
  }

  /**
   * Divides scores by the temperature; if it is so low that this overflows, only the largest
   * remains.
   *
   * @return the largest score afterwards
   */
  private float applyTemperature(float[] scores, float largest) {
    float temperature = (float) Math.min(sampling.temperature(), Float.MAX_VALUE);
    if (temperature == 0 || Float.isInfinite(largest / temperature)) {
      for (int i = 0; i < scores.length; i++) {
        scores[i] = scores[i] == largest ? 0 : Float.NEGATIVE_INFINITY;
      }
      return 0;
    }
    for (int i = 0; i < scores.length; i++) {
      scores[i] /= temperature;
    }
    return largest / temperature;
  }

  /** The k tokens with the largest scores, and those that tie with the last of them. */
  private Candidates topK(float[] scores, float highest) {
    int k = sampling.topK();
    boolean all = k == 0 || k >= scores.length;
    float last = all ? Float.NEGATIVE_INFINITY : kthLargest(scores, k);
    int[] ids = new int[scores.length];
    float[] kept = new float[scores.length];
    int count = 0;
    for (int id = 0; id < scores.length; id++) {
      if (scores[id] >= last) {
        ids[count] = id;
        kept[count++] = scores[id];
      }
    }
    kept = Arrays.copyOf(kept, count);
    return new Candidates(Arrays.copyOf(ids, count), kept, weights(kept, highest));
  }

  private static float kthLargest(float[] scores, int k) {
    float[] large = new float[Math.min(2 * k, scores.length)];
    int count = 0;
    float bound = Float.NEGATIVE_INFINITY;
    for (float score : scores) {
      if (score > bound) {
        large[count++] = score;
      }
      if (count == large.length) {
        Arrays.sort(large);
        System.arraycopy(large, count - k, large, 0, k);
        count = k;
        bound = large[0];
      }
    }
    Arrays.sort(large, 0, count);
    return count < k ? Float.NEGATIVE_INFINITY : large[count - k];
  }

  private static double[] weights(float[] scores, float highest) {
    try (Scope scope = Scope.open()) {
      return Tensor.of(scores).to(DType.FLOAT64).sub(highest).exp().toDoubles();
    }
  }
}
