package dev.jformer.model;

import dev.jformer.config.Checks;
import io.soabase.recordbuilder.core.RecordBuilder;

/**
 * Blocks that are run again and again: the looped Transformer (<a
 * href="https://arxiv.org/abs/2311.12424">Looped Transformers are Better at Learning Learning
 * Algorithms</a>), and with blocks of their own before and after the loop the AlgoFormer (<a
 * href="https://arxiv.org/abs/2402.13572">On the Expressive Power of a Variant of the Looped
 * Transformer</a>). With e the input, or what the blocks before make of it, the state begins at 0
 * and becomes f(state + e) in each iteration, f being the model's stack with its positions and its
 * last norm. The blocks after the loop have no positions.
 *
 * @param before number of blocks before the loop
 * @param times iterations; 1 without other blocks is a plain stack
 * @param after number of blocks after the loop
 * @param learned after how many of the last iterations predictions are learned
 */
@RecordBuilder
public record LoopConfig(int before, int times, int after, int learned)
    implements LoopConfigBuilder.With {
  /** Default: no loop. */
  public LoopConfig() {
    this(0, 1, 0, 1);
  }

  /** Checks the values. */
  public LoopConfig {
    Checks.between("before", before, 0, 1000);
    Checks.between("times", times, 1, 100_000);
    Checks.between("after", after, 0, 1000);
    Checks.between("learned", learned, 1, times);
  }

  /** An AlgoFormer: a block before and one after the loop. */
  public static LoopConfig algoFormer(int times, int learned) {
    return new LoopConfig(1, times, 1, learned);
  }
}
