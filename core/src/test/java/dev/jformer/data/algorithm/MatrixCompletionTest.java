package dev.jformer.data.algorithm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MatrixCompletionTest {
  private static boolean[][] known(int rows, int columns, double share, SplittableRandom random) {
    boolean[][] known = new boolean[rows][columns];
    for (boolean[] row : known) {
      for (int j = 0; j < columns; j++) {
        row[j] = random.nextDouble() < share;
      }
    }
    return known;
  }

  private static double furthest(double[][] a, double[][] b) {
    double furthest = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a[i].length; j++) {
        furthest = Math.max(furthest, Math.abs(a[i][j] - b[i][j]));
      }
    }
    return furthest;
  }

  /** Random matrices of low rank, not square, with entries to spare. */
  @Test
  void findsMatricesOfLowRank() {
    SplittableRandom random = new SplittableRandom(1);
    for (int rank = 1; rank <= 3; rank++) {
      double[][] a = new double[40][30];
      for (int r = 0; r < rank; r++) {
        double[] u = random.doubles(40, -1, 1).toArray();
        double[] v = random.doubles(30, -1, 1).toArray();
        for (int i = 0; i < 40; i++) {
          for (int j = 0; j < 30; j++) {
            a[i][j] += u[i] * v[j];
          }
        }
      }
      double[][] found = new MatrixCompletion(rank, 500).complete(a, known(40, 30, 0.6, random), 2);
      assertTrue(furthest(a, found) < 1e-3, "rank " + rank + ": " + furthest(a, found));
    }
  }

  /** The table of sums is found from half of it, and not from as many entries as it has rows. */
  @Test
  void findsTheTableOfSums() {
    double[][] sums = new double[30][30];
    for (int i = 0; i < 30; i++) {
      for (int j = 0; j < 30; j++) {
        sums[i][j] = i + j;
      }
    }
    SplittableRandom random = new SplittableRandom(3);
    MatrixCompletion completion = new MatrixCompletion(2, 500);
    assertTrue(furthest(sums, completion.complete(sums, known(30, 30, 0.5, random), 1)) < 0.5);
    assertTrue(furthest(sums, completion.complete(sums, known(30, 30, 0.03, random), 1)) > 0.5);
  }

  /** Of rank 1, an entry follows from three others. */
  @Test
  void oneEntryFollowsFromThree() {
    double[][] a = {{2, 6}, {3, Double.NaN}};
    boolean[][] known = {{true, true}, {true, false}};
    assertEquals(9, new MatrixCompletion(1, 200).complete(a, known, 1)[1][1], 1e-5);
  }

  @Test
  void whatCannotBeIsRefused() {
    MatrixCompletion completion = new MatrixCompletion(1, 1);
    assertArrayEquals(
        new double[2], completion.complete(new double[1][2], new boolean[1][2], 1)[0]);
    assertThrows(
        IllegalArgumentException.class,
        () -> completion.complete(new double[2][2], new boolean[1][2], 1));
    assertThrows(IllegalArgumentException.class, () -> new MatrixCompletion(0, 1));
  }
}
