package dev.jformer.nn;

import dev.jformer.config.Part;

/** Configuration of a part that can be made larger without a change of what it computes. */
public interface GrowingPart extends Part {
  /** The same with so many times as many parameters. */
  GrowingPart grown(int times);
}
