package dev.jformer.data.image;

import dev.jformer.config.Checks;

/**
 * Settings of the random changes made to training images, so that a model never sees the same image
 * twice.
 *
 * @param shift the largest shift, as a share of the image's size; pixels that come in are black
 * @param zoom random resized crop: the smallest share of the area that is cut out and scaled up,
 *     with an aspect ratio between 3:4 and 4:3; 1 for the whole image
 * @param flip whether images are mirrored left to right with probability 1/2
 * @param operations how many operations are drawn from those of RandAugment (<a
 *     href="https://arxiv.org/abs/1909.13719">RandAugment: Practical automated data augmentation
 *     with a reduced search space</a>)
 * @param magnitude the strength of these, up to 1
 * @param mixup α of Beta(α, α), from which the share of one image in a mixture of two is drawn (<a
 *     href="https://arxiv.org/abs/1710.09412">mixup: Beyond Empirical Risk Minimization</a>); 0 for
 *     none
 * @param cutmix α of the Beta(α, α) that determines the rectangle of one image that is pasted into
 *     another (<a href="https://arxiv.org/abs/1905.04899">CutMix: Regularization Strategy to Train
 *     Strong Classifiers with Localizable Features</a>); 0 for none. With both, each batch is mixed
 *     in one way or the other.
 * @param erase the probability that a rectangle is made grey (<a
 *     href="https://arxiv.org/abs/1708.04896">Random Erasing Data Augmentation</a>)
 */
public record Augmentation(
    double shift,
    double zoom,
    boolean flip,
    int operations,
    double magnitude,
    double mixup,
    double cutmix,
    double erase) {
  /** The default: shifts by up to an eighth, and mirrors. */
  public Augmentation() {
    this(0.125, 1, true, 0, 0.5, 0, 0, 0);
  }

  /** Checks the values. */
  public Augmentation {
    share("shift", shift);
    share("zoom", zoom);
    share("magnitude", magnitude);
    share("erase", erase);
    if (zoom == 0) {
      throw new IllegalArgumentException("zoom is 0: expected more than 0, and 1 for whole images");
    }
    Checks.atLeast("operations", operations, 0);
    Checks.atLeast("mixup", mixup, 0);
    Checks.atLeast("cutmix", cutmix, 0);
  }

  private static void share(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(name + " is " + value + ": expected 0 to 1");
    }
  }

  /** The settings that leave images unchanged. */
  public static Augmentation none() {
    return new Augmentation(0, 1, false, 0, 0, 0, 0, 0);
  }
}
