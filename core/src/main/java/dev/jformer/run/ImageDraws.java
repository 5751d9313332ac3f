package dev.jformer.run;

import java.util.SplittableRandom;

/**
 * The random numbers that images are made of: a stream for each, so that how many are made at a
 * time does not matter.
 */
final class ImageDraws {
  private ImageDraws() {}

  /**
   * The stream of an image.
   *
   * @param number of the image, from 0
   */
  static SplittableRandom of(long seed, long number) {
    return new SplittableRandom(seed * 0x9E3779B97F4A7C15L + (number + 1) * 0xD1342543DE82EF95L);
  }
}
