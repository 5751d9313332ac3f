package dev.jformer.data.image;

import java.util.SplittableRandom;

/** Draws from the symmetric beta distribution, as the ratio of a gamma variable to a sum of two. */
final class Beta {
  private Beta() {}

  /** A draw from Beta(α, α). */
  static double draw(double alpha, SplittableRandom random) {
    double a = gamma(alpha, random);
    double b = gamma(alpha, random);
    // Both can underflow to 0 when α is small.
    return a + b > 0 ? a / (a + b) : random.nextInt(2);
  }

  /**
   * A gamma variable by Marsaglia and Tsang's method (2000), with their correction below shape 1.
   */
  private static double gamma(double shape, SplittableRandom random) {
    if (shape < 1) {
      return gamma(shape + 1, random) * Math.pow(random.nextDouble(), 1 / shape);
    }
    double d = shape - 1.0 / 3;
    double c = 1 / Math.sqrt(9 * d);
    while (true) {
      double x = random.nextGaussian();
      double v = Math.pow(1 + c * x, 3);
      if (v > 0 && Math.log(random.nextDouble()) < x * x / 2 + d - d * v + d * Math.log(v)) {
        return d * v;
      }
    }
  }
}
