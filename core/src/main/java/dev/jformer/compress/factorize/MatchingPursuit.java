package dev.jformer.compress.factorize;

/**
 * Orthogonal matching pursuit: approximates a vector by few vectors of a basis. Each round takes
 * the basis vector with the largest product with the residual, and fits all taken so far by least
 * squares. Products of the basis vectors are computed once, and the Cholesky factor of the least
 * squares grows by a row each round (Batch-OMP, Rubinstein et al. 2008).
 */
final class MatchingPursuit {
  /** A basis vector with a smaller independent part depends linearly on those taken. */
  private static final double DEPENDENT = 1e-10;

  private final double[][] basis;
  private final double[][] gram;
  private final int most;

  /** Buffers that are reused for each vector. */
  private final double[] products;

  private final double[] rest;
  private final double[][] factor;
  private final double[] half;
  private final boolean[] closed;

  /**
   * Prepares a basis.
   *
   * @param basis vectors of length 1, or of length 0, which are never taken
   * @param most the most vectors taken
   */
  MatchingPursuit(double[][] basis, int most) {
    this.basis = basis;
    this.most = most;
    this.gram = new double[basis.length][basis.length];
    for (int i = 0; i < basis.length; i++) {
      for (int j = 0; j <= i; j++) {
        gram[i][j] = gram[j][i] = dot(basis[i], basis[j]);
      }
    }
    this.products = new double[basis.length];
    this.rest = new double[basis.length];
    this.factor = new double[most][most];
    this.half = new double[most];
    this.closed = new boolean[basis.length];
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /**
   * Codes a vector.
   *
   * @param taken filled with the indices of the basis vectors
   * @param coefficients filled with their coefficients
   * @return number of vectors taken, which is smaller than allowed if others add nothing
   */
  int code(double[] vector, int[] taken, double[] coefficients) {
    for (int k = 0; k < basis.length; k++) {
      products[k] = rest[k] = dot(basis[k], vector);
      closed[k] = gram[k][k] < DEPENDENT;
    }
    double least = 1e-24 * dot(vector, vector);
    int count = 0;
    while (count < most) {
      int best = best();
      if (best < 0 || rest[best] * rest[best] <= least) {
        break;
      }
      closed[best] = true;
      if (!extend(taken, count, best)) {
        continue;
      }
      taken[count++] = best;
      solve(count, coefficients);
      for (int k = 0; k < basis.length; k++) {
        double sum = products[k];
        for (int i = 0; i < count; i++) {
          sum -= coefficients[i] * gram[taken[i]][k];
        }
        rest[k] = sum;
      }
    }
    return count;
  }

  private int best() {
    int best = -1;
    for (int k = 0; k < basis.length; k++) {
      if (!closed[k] && (best < 0 || Math.abs(rest[k]) > Math.abs(rest[best]))) {
        best = k;
      }
    }
    return best;
  }

  /** Adds a row to the Cholesky factor L of the taken vectors' products, and to L⁻¹ Dx. */
  private boolean extend(int[] taken, int count, int next) {
    double[] row = factor[count];
    double left = gram[next][next];
    double value = products[next];
    for (int i = 0; i < count; i++) {
      double sum = gram[next][taken[i]];
      for (int j = 0; j < i; j++) {
        sum -= row[j] * factor[i][j];
      }
      row[i] = sum / factor[i][i];
      left -= row[i] * row[i];
      value -= row[i] * half[i];
    }
    if (left < DEPENDENT) {
      return false;
    }
    row[count] = Math.sqrt(left);
    half[count] = value / row[count];
    return true;
  }

  private void solve(int count, double[] coefficients) {
    for (int i = count - 1; i >= 0; i--) {
      double sum = half[i];
      for (int j = i + 1; j < count; j++) {
        sum -= factor[j][i] * coefficients[j];
      }
      coefficients[i] = sum / factor[i][i];
    }
  }
}
