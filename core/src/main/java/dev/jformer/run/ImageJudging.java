package dev.jformer.run;

import dev.jformer.config.Checks;
import java.nio.file.Path;

/**
 * How images that a model makes are compared with real ones: by the {@linkplain
 * dev.jformer.metrics.FrechetDistance Fréchet distance} of what the output layer of a classifier
 * reads. Distances can be compared only if the classifier and both numbers of images are the same.
 *
 * @param judge folder of the classifier, of {@code train --task images}
 * @param count how many images are made, their classes in the shares of the real ones
 * @param seed of their noise
 */
public record ImageJudging(Path judge, int count, long seed) {
  /** The number of images that are made unless another one is asked for. */
  public static final int COUNT = 2000;

  /** Defaults: 2,000 images of seed 1. */
  public ImageJudging(Path judge) {
    this(judge, COUNT, 1);
  }

  /** Checks the values. */
  public ImageJudging {
    Checks.notNull("judge", judge);
    Checks.between("count", count, 2, 1_000_000);
  }
}
