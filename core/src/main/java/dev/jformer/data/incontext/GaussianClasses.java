package dev.jformer.data.incontext;

import dev.jformer.config.Checks;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Classes that are Gaussian clouds, as in <a href="https://arxiv.org/abs/2312.03002">The
 * Mechanistic Basis of Data Dependence and Abrupt Learning in an In-Context Classification
 * Task</a>. Their means are from N(0, I/D); an item is {@code (mean + noise ε) / √(1 + noise²)}
 * with ε from N(0, I/D). There are as many as there are numbers.
 *
 * @param dimension D
 * @param noise how far items of a class differ
 * @param seed draws the means
 */
public record GaussianClasses(int dimension, double noise, long seed) implements ExemplarClasses {
  /** Checks the values. */
  public GaussianClasses {
    Checks.between("dimension", dimension, 1, 100_000);
    Checks.atLeast("noise", noise, 0);
  }

  @Override
  public Items of(int ofClass) {
    long mixed = new SplittableRandom(seed).nextLong();
    return around(31 * mixed + new SplittableRandom(ofClass).nextLong());
  }

  @Override
  public List<Items> newClasses(SplittableRandom random) {
    return List.of(around(random.nextLong()), around(random.nextLong()));
  }

  /** Items around the mean that a seed draws. */
  private Items around(long ofMean) {
    double scale = 1 / Math.sqrt(dimension * (1 + noise * noise));
    return (items, place, random) -> {
      SplittableRandom mean = new SplittableRandom(ofMean);
      for (int i = 0; i < dimension; i++) {
        items[place * dimension + i] =
            (float) (scale * (mean.nextGaussian() + noise * random.nextGaussian()));
      }
    };
  }
}
