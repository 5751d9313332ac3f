package dev.jformer.compress.factorize;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A factorization of a matrix into coefficients times a basis, where each row has few coefficients
 * (<a href="https://arxiv.org/abs/2312.13211">DSFormer: Effective Compression of Text-Transformers
 * by Dense-Sparse Weight Factorization</a>). It alternates between {@linkplain MatchingPursuit
 * coding} all rows over the basis and updating the vectors of the basis one by one, each with its
 * coefficients (approximate K-SVD, Rubinstein et al. 2008). A row keeps its old code if the new one
 * is not better, so the error never grows.
 */
final class DenseSparseFactors {
  private final double[][] rows;
  private final double[][] basis;
  private final int[][] taken;
  private final double[][] coefficients;
  private final double[][] left;
  private final int[] counts;

  private DenseSparseFactors(double[][] rows, double[][] basis, int nonzeros) {
    this.rows = rows;
    this.basis = basis;
    this.taken = new int[rows.length][nonzeros];
    this.coefficients = new double[rows.length][nonzeros];
    this.counts = new int[rows.length];
    this.left = Arrays.stream(rows).map(double[]::clone).toArray(double[][]::new);
  }

  /**
   * Factorizes a matrix.
   *
   * @param rows at least one
   * @param start initial vectors of the basis, such as the matrix' singular ones
   * @param basis number of vectors of the basis; further initial vectors are randomly drawn rows
   * @param nonzeros the most coefficients of a row
   * @param turns number of alternations
   */
  static DenseSparseFactors of(
      double[][] rows, double[][] start, int basis, int nonzeros, int turns, long seed) {
    DenseSparseFactors factors =
        new DenseSparseFactors(rows, begun(rows, start, basis, seed), nonzeros);
    factors.code();
    for (int turn = 0; turn < turns; turn++) {
      factors.improve();
      factors.code();
    }
    return factors;
  }

  private static double[][] begun(double[][] rows, double[][] start, int size, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    double[][] basis = new double[size][];
    for (int k = 0; k < size; k++) {
      basis[k] = k < start.length ? start[k].clone() : rows[random.nextInt(rows.length)].clone();
      normalize(basis[k]);
    }
    return basis;
  }

  /** Scales a nonzero vector to length 1; returns its former length. */
  private static double normalize(double[] vector) {
    double length = Math.sqrt(MatchingPursuit.dot(vector, vector));
    if (length > 0) {
      for (int i = 0; i < vector.length; i++) {
        vector[i] /= length;
      }
    }
    return length;
  }

  private void code() {
    int most = coefficients[0].length;
    MatchingPursuit pursuit = new MatchingPursuit(basis, most);
    int[] found = new int[most];
    double[] values = new double[most];
    for (int r = 0; r < rows.length; r++) {
      int count = pursuit.code(rows[r], found, values);
      double[] rest = rows[r].clone();
      for (int i = 0; i < count; i++) {
        add(rest, basis[found[i]], -values[i]);
      }
      if (MatchingPursuit.dot(rest, rest) < MatchingPursuit.dot(left[r], left[r])) {
        taken[r] = found.clone();
        coefficients[r] = values.clone();
        counts[r] = count;
        left[r] = rest;
      }
    }
  }

  private static void add(double[] to, double[] what, double times) {
    for (int i = 0; i < to.length; i++) {
      to[i] += times * what[i];
    }
  }

  /**
   * Updates each vector of the basis by the residuals of the rows that use it, with their
   * coefficients.
   */
  private void improve() {
    boolean[] taken = new boolean[rows.length];
    for (int k = 0; k < basis.length; k++) {
      double[] sum = new double[basis[k].length];
      boolean used = false;
      for (int r = 0; r < rows.length; r++) {
        int at = place(r, k);
        if (at >= 0) {
          used = true;
          add(left[r], basis[k], coefficients[r][at]);
          add(sum, left[r], coefficients[r][at]);
        }
      }
      if (!used) {
        basis[k] = worst(taken);
        continue;
      }
      if (normalize(sum) > 0) {
        basis[k] = sum;
      }
      for (int r = 0; r < rows.length; r++) {
        int at = place(r, k);
        if (at >= 0) {
          coefficients[r][at] = MatchingPursuit.dot(left[r], basis[k]);
          add(left[r], basis[k], -coefficients[r][at]);
        }
      }
    }
  }

  private int place(int row, int vector) {
    for (int i = 0; i < counts[row]; i++) {
      if (taken[row][i] == vector) {
        return i;
      }
    }
    return -1;
  }

  /** The residual of the worst row that was not returned before, scaled to length 1. */
  private double[] worst(boolean[] taken) {
    int worst = 0;
    double most = -1;
    for (int r = 0; r < rows.length; r++) {
      double size = MatchingPursuit.dot(left[r], left[r]);
      if (!taken[r] && size > most) {
        most = size;
        worst = r;
      }
    }
    taken[worst] = true;
    double[] vector = left[worst].clone();
    normalize(vector);
    return vector;
  }

  /** The squared error of the factorization. */
  double error() {
    return Arrays.stream(left).mapToDouble(row -> MatchingPursuit.dot(row, row)).sum();
  }

  /** The vectors of the basis, of length 1 or 0. */
  double[][] basis() {
    return basis;
  }

  /**
   * Writes coefficients and their mask.
   *
   * @param all zeros, for each row as many as the basis has vectors
   * @param kept the mask, of the same length, false
   */
  void write(double[] all, boolean[] kept, int offset) {
    for (int r = 0; r < rows.length; r++) {
      int at = offset + r * basis.length;
      for (int i = 0; i < counts[r]; i++) {
        all[at + taken[r][i]] = coefficients[r][i];
        kept[at + taken[r][i]] = true;
      }
      // All rows have the same number of coefficients; missing ones are zeros.
      int missing = coefficients[r].length - counts[r];
      for (int k = 0; k < basis.length && missing > 0; k++) {
        if (!kept[at + k]) {
          kept[at + k] = true;
          missing--;
        }
      }
    }
  }
}
