package dev.jformer.construct;

/** The floating-point numbers that a {@link SaturatedDecoder} computes with. */
public enum Precision {
  /** 24 bits: each result is rounded to a float. */
  SINGLE(Math.ulp(1f)),
  /** 53 bits. */
  DOUBLE(Math.ulp(1d));

  private final double step;

  Precision(double step) {
    this.step = step;
  }

  /** The distance of 1 from the next larger number. */
  public double step() {
    return step;
  }

  /** The number of this precision that is nearest to a value. */
  double of(double value) {
    return this == SINGLE ? (float) value : value;
  }
}
