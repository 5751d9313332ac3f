package dev.jformer.compress.factorize;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * A matrix as coefficients times a basis, where each row has few coefficients (DSFormer, arXiv
 * 2312.13211). Found by turns: {@linkplain MatchingPursuit codes} of all rows over the basis, then
 * the vectors of the basis one after another, each with its coefficients, so that the error gets
 * less (K-SVD in its approximate form, Rubinstein et al. 2008). A row keeps its older code where
 * the new one is no better, so no turn makes the error larger.
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
   * @param start vectors to begin a basis with, such as the matrix' singular ones; as many as there
   *     are, or the first of them
   * @param basis vectors of the basis; those that the start lacks are rows, drawn
   * @param nonzeros coefficients of a row, at most
   * @param turns of codes and basis
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

  /** Scales a vector to length 1, but for zero; gives its length. */
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

  /** Turns each vector of the basis to what the rows that use it lack, and fits them to it. */
  private void improve() {
    boolean[] asked = new boolean[rows.length];
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
        basis[k] = worst(asked);
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

  /** What is left of the row of which most is left, of those not asked for; of length 1. */
  private double[] worst(boolean[] asked) {
    int worst = 0;
    double most = -1;
    for (int r = 0; r < rows.length; r++) {
      double size = MatchingPursuit.dot(left[r], left[r]);
      if (!asked[r] && size > most) {
        most = size;
        worst = r;
      }
    }
    asked[worst] = true;
    double[] vector = left[worst].clone();
    normalize(vector);
    return vector;
  }

  /** The sum of squares of what the factors lack. */
  double error() {
    return Arrays.stream(left).mapToDouble(row -> MatchingPursuit.dot(row, row)).sum();
  }

  /** The vectors of the basis, of length 1 or 0. */
  double[][] basis() {
    return basis;
  }

  /**
   * Writes coefficients and their places.
   *
   * @param all zeros, row after row as many as the basis has vectors
   * @param kept as many, false
   */
  void write(double[] all, boolean[] kept, int offset) {
    for (int r = 0; r < rows.length; r++) {
      int at = offset + r * basis.length;
      for (int i = 0; i < counts[r]; i++) {
        all[at + taken[r][i]] = coefficients[r][i];
        kept[at + taken[r][i]] = true;
      }
      // A row has as many as any other: zeros, if it needs no more.
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
