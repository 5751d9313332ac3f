package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;

/**
 * The size of a patch mixer: blocks before the others that see all patches, also where others are
 * spared some of them.
 *
 * @param layers number of blocks; 0 for no mixer
 * @param width of its tokens, a multiple of 4 and of the width of a head; 0 for the model's
 */
public record PatchMixer(int layers, int width) {
  /** Default: no mixer. */
  public PatchMixer() {
    this(0, 0);
  }

  /** Checks the values. */
  public PatchMixer {
    Checks.between("layers", layers, 0, 1000);
    Checks.between("width", width, 0, 1 << 16);
  }
}
