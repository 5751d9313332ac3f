package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * An endless source of prompts of one class of functions. A batch depends on the seed and its
 * number only.
 *
 * @param functions the class
 * @param length T, examples in a prompt
 * @param batch prompts in a batch
 * @param seed draws functions and examples
 */
public record PromptSource(FunctionClass functions, int length, int batch, long seed) {
  /** The stream of what is evaluated on; batches count from 0. */
  private static final long HELD_OUT = -1;

  /** Checks the values. */
  public PromptSource {
    Checks.notNull("functions", functions);
    Checks.atLeast("length", length, 1);
    Checks.atLeast("batch", batch, 1);
  }

  /** A batch to train on. */
  public Prompts training(long index) {
    Checks.atLeast("index", index, 0);
    return draw(batch, random(index), false);
  }

  /** Prompts to evaluate on, of functions that are held out where the class has few of them. */
  public Prompts heldOut(int count) {
    return draw(count, random(HELD_OUT), true);
  }

  private Prompts draw(int count, SplittableRandom random, boolean heldOut) {
    Prompts prompts = Prompts.of(count, length, functions.inputs());
    for (int row = 0; row < count; row++) {
      functions.draw(prompts, row, random, heldOut);
    }
    return prompts;
  }

  /** A generator for each stream; those of neighbouring streams or seeds have nothing in common. */
  private SplittableRandom random(long stream) {
    long ofSeed = new SplittableRandom(seed).nextLong();
    return new SplittableRandom(31 * ofSeed + new SplittableRandom(stream).nextLong());
  }
}
