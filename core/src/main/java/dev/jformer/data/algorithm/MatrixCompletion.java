package dev.jformer.data.algorithm;

import dev.jformer.config.Checks;
import java.util.SplittableRandom;

/**
 * Completes a matrix of low rank of which some entries are known, by alternating least squares:
 * rows' factors for given columns' ones, then the reverse. <a
 * href="https://arxiv.org/abs/2307.03381">Teaching Arithmetic to Small Transformers</a> looks at
 * learning to add from samples so: the table of sums has rank 2, and is found at once when about n
 * log n entries of n x n are known.
 *
 * @param rank r
 * @param rounds number of alternations
 */
public record MatrixCompletion(int rank, int rounds) {
  /** Keeps equations of rows with few entries solvable. */
  private static final double RIDGE = 1e-9;

  /** Checks the values. */
  public MatrixCompletion {
    Checks.between("rank", rank, 1, 100);
    Checks.between("rounds", rounds, 1, 1_000_000);
  }

  /**
   * Completes a matrix.
   *
   * @param matrix [n, m]; entries that are not known are not read
   * @param known [n, m]
   * @param seed of the factors that it begins with
   * @return all entries of the matrix of rank r that was found
   * @throws IllegalArgumentException if nothing is known or the sizes differ
   */
  public double[][] complete(double[][] matrix, boolean[][] known, long seed) {
    int rows = matrix.length;
    int columns = rows == 0 ? 0 : matrix[0].length;
    if (columns == 0 || known.length != rows || known[0].length != columns) {
      throw new IllegalArgumentException(
          "a matrix of "
              + rows
              + " x "
              + columns
              + " with marks for "
              + known.length
              + " rows: expected at least one entry, and as many marks");
    }
    double largest = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        largest = known[i][j] ? Math.max(largest, Math.abs(matrix[i][j])) : largest;
      }
    }
    if (largest == 0) {
      return new double[rows][columns]; // nothing but zeros is known
    }
    SplittableRandom random = new SplittableRandom(seed);
    double[][] left = new double[rows][rank];
    double[][] right = new double[columns][rank];
    for (double[] row : right) {
      for (int k = 0; k < rank; k++) {
        row[k] = random.nextGaussian();
      }
    }
    for (int round = 0; round < rounds; round++) {
      fit(left, right, matrix, known, largest, false);
      fit(right, left, matrix, known, largest, true);
    }
    double[][] all = new double[rows][columns];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        for (int k = 0; k < rank; k++) {
          all[i][j] += largest * left[i][k] * right[j][k];
        }
      }
    }
    return all;
  }

  /** Fits the factors of one side for those of the other. */
  private void fit(
      double[][] own,
      double[][] other,
      double[][] matrix,
      boolean[][] known,
      double scale,
      boolean transposed) {
    for (int i = 0; i < own.length; i++) {
      double[][] square = new double[rank][rank];
      double[] product = new double[rank];
      for (int k = 0; k < rank; k++) {
        square[k][k] = RIDGE;
      }
      for (int j = 0; j < other.length; j++) {
        if (transposed ? known[j][i] : known[i][j]) {
          double value = (transposed ? matrix[j][i] : matrix[i][j]) / scale;
          for (int k = 0; k < rank; k++) {
            product[k] += value * other[j][k];
            for (int l = 0; l < rank; l++) {
              square[k][l] += other[j][k] * other[j][l];
            }
          }
        }
      }
      own[i] = solved(square, product);
    }
  }

  /** Solves a positive definite system by elimination. */
  private static double[] solved(double[][] square, double[] product) {
    int n = product.length;
    for (int k = 0; k < n; k++) {
      for (int i = k + 1; i < n; i++) {
        double factor = square[i][k] / square[k][k];
        for (int j = k; j < n; j++) {
          square[i][j] -= factor * square[k][j];
        }
        product[i] -= factor * product[k];
      }
    }
    for (int k = n - 1; k >= 0; k--) {
      for (int j = k + 1; j < n; j++) {
        product[k] -= square[k][j] * product[j];
      }
      product[k] /= square[k][k];
    }
    return product;
  }
}
