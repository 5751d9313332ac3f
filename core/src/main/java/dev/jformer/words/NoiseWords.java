package dev.jformer.words;

import java.util.SplittableRandom;

/** Draws words in proportion to a power of their counts. */
final class NoiseWords {
  private final double[] sums;

  NoiseWords(Vocabulary vocabulary, double exponent) {
    sums = new double[vocabulary.size()];
    double sum = 0;
    for (int word = 0; word < sums.length; word++) {
      sum += Math.pow((double) vocabulary.count(word), exponent);
      sums[word] = sum;
    }
  }

  int draw(SplittableRandom random) {
    double at = random.nextDouble() * sums[sums.length - 1];
    int low = 0;
    int high = sums.length - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (sums[middle] <= at) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
