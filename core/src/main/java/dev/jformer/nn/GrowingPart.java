package dev.jformer.nn;

import dev.jformer.config.Part;

/** Configuration of a part that can grow without changing the function it computes. */
public interface GrowingPart extends Part {
  /** This configuration with {@code times} times the number of parameters. */
  GrowingPart grown(int times);
}
