package dev.jformer.data.image;

/**
 * What is done to images before a model learns from them, so that it never sees the same one twice.
 *
 * @param shift how far they are moved at most, a share of their size; what comes in is black
 * @param zoom the least share of the area that is cut out and scaled up, its sides' ratio between
 *     3:4 and 4:3; 1 for the whole image
 * @param flip whether every other one is mirrored, left to right
 * @param operations how many operations, drawn from those of RandAugment (arXiv 1909.13719), are
 *     carried out
 * @param magnitude how strong those are, up to 1
 * @param mixup α of Beta(α, α), from which the share of one image in a mixture of two is drawn
 *     (arXiv 1710.09412); 0 for none
 * @param cutmix the same for a rectangle of one image in another (arXiv 1905.04899); 0 for none.
 *     With both, each batch is mixed in one way or the other.
 * @param erase with which probability a rectangle is made grey (arXiv 1708.04896)
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
  /** Shifts by up to an eighth, and mirrors. */
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
      throw new IllegalArgumentException("zoom is 0: expected more, 1 for whole images");
    }
    if (operations < 0) {
      throw new IllegalArgumentException("operations is " + operations + ": expected at least 0");
    }
    if (!(mixup >= 0) || !(cutmix >= 0)) {
      throw new IllegalArgumentException(
          "mixup is " + mixup + " and cutmix " + cutmix + ": expected at least 0");
    }
  }

  private static void share(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(name + " is " + value + ": expected 0 to 1");
    }
  }

  /** Nothing is done to images. */
  public static Augmentation none() {
    return new Augmentation(0, 1, false, 0, 0, 0, 0, 0);
  }
}
