package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.model.diffusion.HeunSampler;

/**
 * Settings of making images with a diffusion model.
 *
 * @param steps steps of {@link HeunSampler}
 * @param guidance weight of the class: 1 as learned, more for images that are more typical, less
 *     varied
 * @param seed of the noise; image number i of a seed is the same however many are made
 */
public record ImageSampling(int steps, double guidance, long seed) {
  /** Defaults. */
  public ImageSampling() {
    this(18, 1.5, 1);
  }

  /** Checks the values. */
  public ImageSampling {
    Checks.between("steps", steps, 1, 100_000);
    Checks.check(
        guidance >= 0 && guidance <= 1000, "guidance", guidance, "a weight from 0 to 1000");
  }
}
