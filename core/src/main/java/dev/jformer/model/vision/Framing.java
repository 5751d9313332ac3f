package dev.jformer.model.vision;

import dev.jformer.config.Checks;

/**
 * Configuration of how a picture of any shape becomes a square of the size that a model takes.
 *
 * @param filter how the new pixels are made from the old ones
 * @param whole whether the whole picture is squeezed or stretched to a square; otherwise its middle
 *     is taken, as long and as high as its shorter side
 * @param side the side of the square, in pixels, of which the middle is cut out, as for the usual
 *     224 pixels of 256; 0 to cut nothing. With the halving filter it must be 0
 */
public record Framing(Filter filter, boolean whole, int side) {
  /** How new pixels are made. */
  public enum Filter {
    /** Pairs of pixels are averaged until the size is near, then neighbours are interpolated. */
    HALVING,
    /** Weights that fall linearly with the distance, as Pillow has them. */
    BILINEAR,
    /** Weights by cubic polynomials, as Pillow has them. */
    BICUBIC,
    /** Weights by a windowed sinc, as Pillow has them. */
    LANCZOS
  }

  /** The default: the middle, by halving. */
  public Framing() {
    this(Filter.HALVING, false, 0);
  }

  /** Checks the values. */
  public Framing {
    Checks.notNull("filter", filter);
    Checks.atLeast("side", side, 0);
    Checks.check(
        filter != Filter.HALVING || (!whole && side == 0),
        "filter",
        filter,
        "another one for whole pictures, or to cut out the middle");
  }
}
