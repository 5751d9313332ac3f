package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;

/**
 * Patches that training leaves out, drawn at random for each image, and the updates at the end that
 * see all patches. The loss is that of the others.
 *
 * @param place where the patches are left out
 * @param share of the patches that is left out
 * @param finish share of the updates, the last ones, in which all patches are there
 */
public record Masking(Place place, double share, double finish) {
  /** Where patches are left out. */
  public enum Place {
    /** Nowhere: training sees all patches. */
    NONE,
    /**
     * Before all blocks, as in <a href="https://arxiv.org/abs/2306.09305">Fast Training of
     * Diffusion Models with Masked Transformers</a>, but without its second loss.
     */
    NAIVE,
    /**
     * Between the patch mixer, which sees all patches, and the other blocks (<a
     * href="https://arxiv.org/abs/2407.15811">Stretching Each Dollar: Diffusion Training from
     * Scratch on a Micro-Budget</a>).
     */
    DEFERRED
  }

  /** Default: training sees all patches. */
  public Masking() {
    this(Place.NONE, 0.75, 0.1);
  }

  /** Checks the values. */
  public Masking {
    Checks.notNull("place", place);
    Checks.share("share", share);
    Checks.check(finish >= 0 && finish <= 1, "finish", finish, "a share from 0 to 1");
  }

  /** The number of patches that stay, at least one. */
  int kept(int patches) {
    return Math.max(1, (int) Math.round((1 - share) * patches));
  }

  /** Whether patches are left out in an update. */
  boolean isOn(long step, long steps) {
    return place != Place.NONE && step < Math.round((1 - finish) * steps);
  }
}
