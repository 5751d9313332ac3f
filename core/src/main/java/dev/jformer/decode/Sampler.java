package dev.jformer.decode;

import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.SplittableRandom;

/**
 * Chooses one sequence's next tokens; its draws depend on the seed and the sequence's number only.
 */
final class Sampler {
  private final Sampling sampling;
  private final SplittableRandom random;

  Sampler(Sampling sampling, int sequence) {
    this.sampling = sampling;
    this.random = new SplittableRandom(sampling.seed() * 0x9E3779B97F4A7C15L + sequence);
  }

  /**
   * The next token.
   *
   * @param logits [V]
   * @param history the ids so far, prompt included
   */
  int next(Tensor logits, Ids history) {
    try (Scope scope = Scope.open()) {
      Tensor penalized = sampling.repetitionPenalty() == 1 ? logits : penalize(logits, history);
      if (sampling.temperature() == 0) {
        return (int) penalized.argmax(-1).itemLong();
      }
      return draw(penalized.div(sampling.temperature()));
    }
  }

  private Tensor penalize(Tensor logits, Ids history) {
    Tensor seen = Tensor.of(history.distinct());
    Tensor scores = logits.gather(0, seen);
    double penalty = sampling.repetitionPenalty();
    Tensor changed = scores.mul(penalty).where(scores.lt(0), scores.div(penalty));
    return logits.scatter(0, seen, changed);
  }

  private int draw(Tensor logits) {
    long vocabulary = logits.size(0);
    boolean narrowed = sampling.topK() > 0 && sampling.topK() < vocabulary;
    if (narrowed || sampling.topP() < 1) {
      Tensor.Ranked ranked = narrowed ? logits.topK(sampling.topK(), 0) : logits.sort(0, true);
      double[] probabilities = ranked.values().softmax(0).toDoubles();
      int kept = nucleus(probabilities);
      return (int) ranked.indices().select(0, pick(probabilities, kept)).itemLong();
    }
    double[] probabilities = logits.softmax(0).toDoubles();
    return pick(probabilities, probabilities.length);
  }

  /** How many of the falling probabilities are needed to reach top-p. */
  private int nucleus(double[] falling) {
    double sum = 0;
    for (int i = 0; i < falling.length; i++) {
      sum += falling[i];
      if (sum >= sampling.topP()) {
        return i + 1;
      }
    }
    return falling.length;
  }

  private int pick(double[] probabilities, int count) {
    double total = 0;
    for (int i = 0; i < count; i++) {
      total += probabilities[i];
    }
    double at = random.nextDouble() * total;
    for (int i = 0; i < count; i++) {
      at -= probabilities[i];
      if (at < 0) {
        return i;
      }
    }
    return count - 1;
  }
}
