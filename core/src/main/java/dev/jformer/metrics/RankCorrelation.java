package dev.jformer.metrics;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** What the ranks of numbers say: Spearman's correlation of two lists, and the AUROC. */
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
