package dev.jformer.run;

import dev.jformer.config.Checks;
import dev.jformer.model.inpaint.PatchSampler;

/**
 * Settings of filling in parts of an image.
 *
 * @param topK the code of a patch is drawn from so many of the most probable ones; 1 for the most
 *     probable one, so that all fills are the same
 * @param temperature 1 as learned, more for fills that differ more
 * @param seed of the draws; fill number i of a seed is the same however many are made
 */
public record InpaintingSettings(int topK, double temperature, long seed) {
  /** Defaults. */
  public InpaintingSettings() {
    this(50, 1, 1);
  }

  /** Checks the values. */
  public InpaintingSettings {
    Checks.between("topK", topK, 1, 1 << 20);
    Checks.check(
        temperature > 0 && temperature <= 1000,
        "temperature",
        temperature,
        "more than 0 and at most 1000");
  }

  /** The sampler. */
  PatchSampler sampler() {
    return new PatchSampler(topK, temperature);
  }
}
