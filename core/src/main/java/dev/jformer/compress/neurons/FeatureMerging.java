package dev.jformer.compress.neurons;

import dev.jformer.ffn.GatedMlp;
import dev.jformer.nn.Activation;
import dev.jformer.tensor.Tensor;

/**
 * Iterative Feature Merging of one perceptron (<a href="https://arxiv.org/abs/2310.06756">Going
 * Beyond Neural Network Feature Similarity: The Network Feature Complexity and Its Interpretation
 * Using Category Theory</a>): the two hidden units closest in weight space are merged, until the
 * closest are too far apart; see {@link Ifm} for details.
 *
 * <p>A unit's row has three parts: fixed input weights, whose length matters to the activation;
 * free input weights, whose length can be moved to the output weights because {@code f(c x) = c^d
 * f(x)}; and output weights. The free part is stored with length 1, and the output part carries the
 * length. Distances are between balanced units, in which the two parts share the length so that the
 * sum of their squares is smallest.
 */
final class FeatureMerging {
  private static final double NEAR_NOTHING = 1e-150;

  private final HiddenUnits units;
  private final int fixed;
  private final int free;
  private final int width;
  private final int degree;
  private final double[][] original;
  private final double[][] rows;
  private final double[][] balanced;
  private final int[] members;
  private final boolean[] gone;
  private final double[][] distance;
  private final int[] nearest;
  private final int[] farthest;
  private int left;

  FeatureMerging(HiddenUnits units) {
    this.units = units;
    int all = units.count();
    int parts = Math.toIntExact(units.in().size(1));
    this.degree = units.config() instanceof GatedMlp.Config ? 1 : degree(units.activation());
    this.fixed =
        units.config() instanceof GatedMlp.Config ? units.activated() : degree == 0 ? parts : 0;
    this.free = parts - fixed;
    this.width = Math.toIntExact(units.out().size(1));
    this.original = rows(Tensor.cat(1, units.in(), units.out()));
    this.rows = new double[all][];
    this.members = new int[all];
    this.gone = new boolean[all];
    this.left = all;
    this.balanced = new double[all][];
    for (int i = 0; i < all; i++) {
      members[i] = 1;
      rows[i] = original[i].clone();
      normalize(rows[i]);
      balanced[i] = balanced(rows[i]);
    }
    this.distance = distances(balanced);
    this.nearest = new int[all];
    this.farthest = new int[all];
    for (int i = 0; i < all; i++) {
      findNeighbours(i);
    }
  }

  /** The degree d of an activation with {@code f(c x) = c^d f(x)} for c > 0; 0 for others. */
  private static int degree(Activation activation) {
    return switch (activation) {
      case RELU, IDENTITY -> 1;
      case SQUARED_RELU -> 2;
      default -> 0;
    };
  }

  private static double[][] rows(Tensor matrix) {
    int width = Math.toIntExact(matrix.size(1));
    double[] all = matrix.toDoubles();
    double[][] rows = new double[all.length / width][width];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(all, i * width, rows[i], 0, width);
    }
    return rows;
  }

  private static double squares(double[] row, int from, int count) {
    double sum = 0;
    for (int i = from; i < from + count; i++) {
      sum += row[i] * row[i];
    }
    return sum;
  }

  private static void scale(double[] row, int from, int count, double factor) {
    for (int i = from; i < from + count; i++) {
      row[i] *= factor;
    }
  }

  /** Moves the length of the free part to the output part. */
  private void normalize(double[] row) {
    double length = Math.sqrt(squares(row, fixed, free));
    if (length > NEAR_NOTHING) {
      scale(row, fixed, free, 1 / length);
      scale(row, fixed + free, width, Math.pow(length, degree));
    }
  }

  /** The same unit with the length shared evenly. */
  private double[] balanced(double[] row) {
    double[] shared = row.clone();
    double in = squares(row, fixed, free);
    double out = squares(row, fixed + free, width);
    if (in > NEAR_NOTHING && out > NEAR_NOTHING) {
      double factor = Math.pow(degree * out / in, 1 / (2.0 * degree + 2));
      scale(shared, fixed, free, factor);
      scale(shared, fixed + free, width, Math.pow(factor, -degree));
    }
    return shared;
  }

  /** Squared distances of all pairs. */
  private static double[][] distances(double[][] rows) {
    int count = rows.length;
    double[] flat = new double[count * rows[0].length];
    for (int i = 0; i < count; i++) {
      System.arraycopy(rows[i], 0, flat, i * rows[i].length, rows[i].length);
    }
    Tensor matrix = Tensor.of(flat, count, rows[0].length);
    double[][] distances = rows(matrix.matmul(matrix.t()));
    double[] own = new double[count];
    for (int i = 0; i < count; i++) {
      own[i] = distances[i][i];
    }
    for (int i = 0; i < count; i++) {
      for (int j = 0; j < count; j++) {
        distances[i][j] = Math.max(0, own[i] + own[j] - 2 * distances[i][j]);
      }
    }
    return distances;
  }

  /** Finds the nearest and the farthest of the units after a unit. */
  private void findNeighbours(int unit) {
    nearest[unit] = -1;
    farthest[unit] = -1;
    for (int other = unit + 1; other < rows.length; other++) {
      if (!gone[other]) {
        updateNeighbours(unit, other);
      }
    }
  }

  private void updateNeighbours(int unit, int other) {
    double[] away = distance[unit];
    if (nearest[unit] < 0 || away[other] < away[nearest[unit]]) {
      nearest[unit] = other;
    }
    if (farthest[unit] < 0 || away[other] > away[farthest[unit]]) {
      farthest[unit] = other;
    }
  }

  /**
   * Merges pairs.
   *
   * @param threshold the largest squared distance of a pair that is merged, as a share of that of
   *     the two units farthest apart
   * @param least the least number of units that are left
   */
  HiddenUnits merged(double threshold, int least) {
    while (left > least) {
      int first = -1;
      double most = 0;
      for (int i = 0; i < rows.length; i++) {
        if (!gone[i] && nearest[i] >= 0) {
          most = Math.max(most, distance[i][farthest[i]]);
          if (first < 0 || distance[i][nearest[i]] < distance[first][nearest[first]]) {
            first = i;
          }
        }
      }
      if (first < 0 || distance[first][nearest[first]] > threshold * most) {
        break;
      }
      merge(first, nearest[first]);
    }
    return result();
  }

  private void merge(int first, int second) {
    double[] one = rows[first];
    double[] other = rows[second];
    double all = members[first] + members[second];
    for (int i = 0; i < fixed + free; i++) {
      one[i] = (members[first] * one[i] + members[second] * other[i]) / all;
    }
    for (int i = fixed + free; i < one.length; i++) {
      one[i] += other[i];
    }
    double length = Math.sqrt(squares(one, fixed, free));
    if (length > NEAR_NOTHING) {
      scale(one, fixed, free, 1 / length); // a direction again; the output part does not change
    }
    members[first] += members[second];
    gone[second] = true;
    left--;
    balanced[first] = balanced(one);
    for (int i = 0; i < rows.length; i++) {
      if (!gone[i] && i != first) {
        double away = away(balanced[first], balanced[i]);
        distance[first][i] = away;
        distance[i][first] = away;
      }
    }
    for (int i = 0; i <= second; i++) {
      if (!gone[i]) {
        if (i == first || isNeighbour(i, first) || isNeighbour(i, second)) {
          findNeighbours(i);
        } else if (i < first) {
          updateNeighbours(i, first);
        }
      }
    }
  }

  private boolean isNeighbour(int unit, int other) {
    return nearest[unit] == other || farthest[unit] == other;
  }

  private static double away(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return sum;
  }

  private HiddenUnits result() {
    double[] in = new double[left * (fixed + free)];
    double[] out = new double[left * width];
    int at = 0;
    for (int i = 0; i < rows.length; i++) {
      if (!gone[i]) {
        double[] row = members[i] > 1 ? balanced(rows[i]) : original[i];
        System.arraycopy(row, 0, in, at * (fixed + free), fixed + free);
        System.arraycopy(row, fixed + free, out, at * width, width);
        at++;
      }
    }
    return units.with(Tensor.of(in, left, fixed + free), Tensor.of(out, left, width));
  }
}
