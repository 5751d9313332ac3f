package dev.jformer.position;

import dev.jformer.config.Part;

/**
 * A change of the angles of rotary positions by which a model reads longer texts than it was
 * trained on first.
 */
public interface RopeScaling extends Part {
  /**
   * The growth of each pair's angle from one position to the next.
   *
   * @param base as in {@link Rope.Config}
   * @param channels the number of rotated channels of a head, twice that of the pairs
   * @param length the number of tokens in the text
   * @return a number for each pair
   * @throws IllegalArgumentException if it does not suit so many channels
   */
  double[] rates(double base, int channels, long length);

  /** The factor of rotated queries and of rotated keys. */
  default double magnitude() {
    return 1;
  }

  /** Whether texts of two lengths have different rates; no unless overridden. */
  default boolean changes(long length, long other) {
    return false;
  }
}
