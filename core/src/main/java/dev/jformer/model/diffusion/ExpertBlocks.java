package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;

/**
 * Which blocks have a mixture of experts in place of a perceptron: every so many, but not the last.
 * Experts choose their tokens, as in {@link dev.jformer.ffn.expert.ExpertChoiceGate}.
 *
 * @param count number of experts; 0 for none in any block
 * @param capacity mean number of experts for a token
 * @param every 2 for the second block, the fourth, and so on
 */
public record ExpertBlocks(int count, double capacity, int every) {
  /** Default: no experts. */
  public ExpertBlocks() {
    this(0, 2, 2);
  }

  /** Checks the values. */
  public ExpertBlocks {
    Checks.between("count", count, 0, 1024);
    Checks.moreThan("capacity", capacity, 0);
    Checks.check(
        count == 0 || capacity <= count, "capacity", capacity, "at most the count " + count);
    Checks.atLeast("every", every, 1);
  }

  /** Whether a block has experts. */
  boolean in(int layer, int layers) {
    return count > 0 && (layer + 1) % every == 0 && layer + 1 < layers;
  }
}
