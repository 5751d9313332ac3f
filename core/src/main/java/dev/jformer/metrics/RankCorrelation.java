package dev.jformer.metrics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** What the ranks of numbers say: Spearman's and Kendall's correlations of lists, and the AUROC. */
public final class RankCorrelation {
  private RankCorrelation() {}

  /**
   * Spearman's rank correlation; equal numbers share the mean of their ranks.
   *
   * @return from -1 to 1; NaN if all numbers of a list are equal, or one is NaN
   * @throws IllegalArgumentException if the lists have different lengths
   */
  public static double spearman(double[] first, double[] second) {
    if (first.length != second.length) {
      throw new IllegalArgumentException(
          "lists of "
              + first.length
              + " and "
              + second.length
              + " numbers cannot be compared: expected equal lengths");
    }
    if (DoubleStream.concat(Arrays.stream(first), Arrays.stream(second)).anyMatch(Double::isNaN)) {
      return Double.NaN;
    }
    double[] a = ranks(first);
    double[] b = ranks(second);
    double mean = (first.length + 1) / 2.0;
    double both = 0;
    double squaresA = 0;
    double squaresB = 0;
    for (int i = 0; i < a.length; i++) {
      both += (a[i] - mean) * (b[i] - mean);
      squaresA += (a[i] - mean) * (a[i] - mean);
      squaresB += (b[i] - mean) * (b[i] - mean);
    }
    return both / Math.sqrt(squaresA * squaresB);
  }

  /**
   * Kendall's rank correlation, tau-b: pairs in the same order less those in the other, with pairs
   * that are equal in one list allowed for.
   *
   * @return from -1 to 1; NaN if all numbers of a list are equal, or one is NaN
   * @throws IllegalArgumentException if the lists have different lengths
   */
  public static double kendall(double[] first, double[] second) {
    if (first.length != second.length) {
      throw new IllegalArgumentException(
          "lists of "
              + first.length
              + " and "
              + second.length
              + " numbers cannot be compared: expected equal lengths");
    }
    if (DoubleStream.concat(Arrays.stream(first), Arrays.stream(second)).anyMatch(Double::isNaN)) {
      return Double.NaN;
    }
    double same = 0;
    double pairsA = 0;
    double pairsB = 0;
    for (int i = 0; i < first.length; i++) {
      for (int j = 0; j < i; j++) {
        double a = Math.signum(Double.compare(first[i], first[j]));
        double b = Math.signum(Double.compare(second[i], second[j]));
        same += a * b;
        pairsA += a * a;
        pairsB += b * b;
      }
    }
    return same / Math.sqrt(pairsA * pairsB);
  }

  /**
   * The partial rank correlation of two lists when a third is held fixed, from Kendall's: {@code
   * (ab - ac bc) / sqrt((1 - ac²) (1 - bc²))}.
   *
   * @return from -1 to 1; NaN if one of the lists has the order of the third
   */
  public static double partial(double[] a, double[] b, double[] third) {
    double ab = kendall(a, b);
    double ac = kendall(a, third);
    double bc = kendall(b, third);
    double rest = (1 - ac * ac) * (1 - bc * bc);
    return rest <= 0 ? Double.NaN : (ab - ac * bc) / Math.sqrt(rest);
  }

  /**
   * Area under the ROC curve (AUROC): the share of pairs of a positive and a negative example in
   * which the positive one has the higher score; equal scores count half.
   *
   * @return from 0 to 1; NaN if there are no positive or no negative examples
   */
  public static double auroc(double[] positive, double[] negative) {
    double[] ranks =
        ranks(DoubleStream.concat(Arrays.stream(positive), Arrays.stream(negative)).toArray());
    double sum = Arrays.stream(ranks, 0, positive.length).sum();
    double least = positive.length * (positive.length + 1.0) / 2;
    return (sum - least) / ((double) positive.length * negative.length);
  }

  /** The ranks of values, from 1. */
  private static double[] ranks(double[] values) {
    List<Integer> order =
        IntStream.range(0, values.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> values[i]))
            .toList();
    double[] ranks = new double[values.length];
    int start = 0;
    while (start < values.length) {
      int end = start + 1;
      while (end < values.length && values[order.get(end)] == values[order.get(start)]) {
        end++;
      }
      for (int i = start; i < end; i++) {
        ranks[order.get(i)] = (start + 1 + end) / 2.0;
      }
      start = end;
    }
    return ranks;
  }
}
