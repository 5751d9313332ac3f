package dev.jformer.ffn.internal;

import dev.jformer.tensor.Tensor;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * k-means with clusters of equal size, for vectors scaled to length 1. In each round the vectors
 * are assigned exactly ({@link BalancedAssignment}), so that the sum of their distances never
 * grows; it ends when the sum no longer falls.
 */
public final class BalancedKMeans {
  private static final int MOST_ROUNDS = 100;

  private final double[][] points;
  private final int clusters;
  private final double[][] centres;
  private int[] best;
  private double least = Double.POSITIVE_INFINITY;

  private BalancedKMeans(double[][] points, int clusters, SplittableRandom random) {
    this.points = points;
    this.clusters = clusters;
    this.centres = start(points, clusters, random);
  }

  /**
   * Computes the members of each cluster, in rising order: the best of several searches, by the sum
   * of squared distances.
   *
   * @param vectors [n, D]
   * @param clusters k, a divisor of n
   * @param seed seed of the initial centres
   * @param starts number of searches from other centres
   * @throws IllegalArgumentException if the clusters cannot have equal sizes
   */
  public static long[][] cluster(Tensor vectors, int clusters, long seed, int starts) {
    int count = Math.toIntExact(vectors.size(0));
    if (clusters < 1 || count % clusters != 0) {
      throw new IllegalArgumentException(
          "clusters is " + clusters + ": expected a divisor of the number of vectors " + count);
    }
    double[][] points = normalised(vectors);
    SplittableRandom random = new SplittableRandom(seed);
    BalancedKMeans best = null;
    for (int i = 0; i < starts; i++) {
      BalancedKMeans search = new BalancedKMeans(points, clusters, random);
      search.run();
      if (best == null || search.least < best.least) {
        best = search;
      }
    }
    return members(best.best, clusters);
  }

  private static double[][] normalised(Tensor vectors) {
    int count = Math.toIntExact(vectors.size(0));
    int width = Math.toIntExact(vectors.size(1));
    double[] flat = vectors.toDoubles();
    double[][] points = new double[count][];
    for (int i = 0; i < count; i++) {
      points[i] = Arrays.copyOfRange(flat, i * width, (i + 1) * width);
      double length = Math.sqrt(dot(points[i], points[i]));
      for (int d = 0; d < width && length > 0; d++) {
        points[i][d] /= length;
      }
    }
    return points;
  }

  static long[][] members(int[] chosen, int clusters) {
    long[][] members = new long[clusters][];
    for (int c = 0; c < clusters; c++) {
      int cluster = c;
      members[c] =
          java.util.stream.IntStream.range(0, chosen.length)
              .filter(i -> chosen[i] == cluster)
              .asLongStream()
              .toArray();
    }
    return members;
  }

  /** Draws initial centres in proportion to the squared distance from the others (k-means++). */
  private static double[][] start(double[][] points, int clusters, SplittableRandom random) {
    double[][] centres = new double[clusters][];
    centres[0] = points[random.nextInt(points.length)].clone();
    double[] nearest = new double[points.length];
    Arrays.fill(nearest, Double.POSITIVE_INFINITY);
    for (int c = 1; c < clusters; c++) {
      double sum = 0;
      for (int i = 0; i < points.length; i++) {
        nearest[i] = Math.min(nearest[i], distance(points[i], centres[c - 1]));
        sum += nearest[i];
      }
      double at = random.nextDouble() * sum;
      int chosen = 0;
      while (chosen < points.length - 1 && at >= nearest[chosen]) {
        at -= nearest[chosen++];
      }
      centres[c] = points[chosen].clone();
    }
    return centres;
  }

  private void run() {
    for (int round = 0; round < MOST_ROUNDS; round++) {
      double[][] scores = new double[points.length][clusters];
      for (int i = 0; i < points.length; i++) {
        for (int c = 0; c < clusters; c++) {
          scores[i][c] = -distance(points[i], centres[c]);
        }
      }
      int[] chosen = BalancedAssignment.of(scores, clusters);
      double sum = 0;
      for (int i = 0; i < points.length; i++) {
        sum -= scores[i][chosen[i]];
      }
      if (sum >= least - 1e-12 * (1 + sum)) {
        break;
      }
      least = sum;
      best = chosen;
      move(chosen);
    }
  }

  private void move(int[] chosen) {
    for (double[] centre : centres) {
      Arrays.fill(centre, 0);
    }
    double share = (double) clusters / points.length;
    for (int i = 0; i < points.length; i++) {
      double[] centre = centres[chosen[i]];
      for (int d = 0; d < centre.length; d++) {
        centre[d] += share * points[i][d];
      }
    }
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += (a[d] - b[d]) * (a[d] - b[d]);
    }
    return sum;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int d = 0; d < a.length; d++) {
      sum += a[d] * b[d];
    }
    return sum;
  }
}
