package dev.jformer.ffn.expert;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Mixtures of perceptrons computed densely, in plain loops: every expert on every token, times a
 * table of weights that are zero where an expert is not chosen, plus a loss on each number.
 */
record NaiveExperts(Gating gating, int count) implements Naive {
  /** What a gate does. */
  @FunctionalInterface
  interface Gating {
    Decision decide(double[][] x, Weights w);
  }

  /** What came of it: weights of each token and expert, and the auxiliary loss. */
  static final class Decision {
    private final double[][] weights;
    private final double loss;

    Decision(double[][] weights, double loss) {
      this.weights = weights;
      this.loss = loss;
    }
  }

  @Override
  public double[][] forward(double[][] x, Weights w) {
    Decision decision = gating.decide(x, w);
    double[][] y = new double[x.length][x[0].length];
    for (int e = 0; e < count; e++) {
      double[][] hidden = Loops.map(Loops.linear(x, w, "experts." + e + ".up"), Loops::gelu);
      double[][] made = Loops.linear(hidden, w, "experts." + e + ".down");
      for (int t = 0; t < x.length; t++) {
        for (int i = 0; i < x[t].length; i++) {
          y[t][i] += decision.weights[t][e] * made[t][i];
        }
      }
    }
    return Loops.map(y, v -> v + decision.loss);
  }

  /** Products with the rows of a weight of the gate. */
  static double[][] scores(double[][] x, Weights w, String name) {
    return Loops.linear(x, w.matrix("gate." + name), null);
  }

  static double[][] softmax(double[][] scores) {
    return Arrays.stream(scores).map(Loops::softmax).toArray(double[][]::new);
  }

  /** Numbers of the k largest, largest first. */
  static int[] largest(double[] row, int k) {
    return IntStream.range(0, row.length)
        .boxed()
        .sorted(Comparator.comparingDouble(e -> -row[e]))
        .limit(k)
        .mapToInt(e -> e)
        .toArray();
  }

  /** N times the sum of shares of tokens and mean probabilities. */
  static double balance(int[][] chosen, double[][] probabilities) {
    int n = probabilities[0].length;
    double[] count = new double[n];
    double pairs = 0;
    for (int[] row : chosen) {
      for (int e : row) {
        count[e]++;
        pairs++;
      }
    }
    double sum = 0;
    for (int e = 0; e < n; e++) {
      double mean = 0;
      for (double[] row : probabilities) {
        mean += row[e] / probabilities.length;
      }
      sum += count[e] / pairs * mean;
    }
    return n * sum;
  }

  /** Squared coefficient of variation. */
  static double variation(double[] values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    double variance =
        Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    return variance / (mean * mean);
  }

  /** The best assignment with at most this many tokens for each expert, by trying all. */
  static int[] bestAssignment(double[][] scores, int share) {
    List<int[]> best = new ArrayList<>();
    double[] value = {Double.NEGATIVE_INFINITY};
    attempt(scores, share, 0, new int[scores.length], 0, value, best);
    return best.get(0);
  }

  private static void attempt(
      double[][] scores,
      int share,
      int token,
      int[] chosen,
      double sum,
      double[] value,
      List<int[]> best) {
    if (token == scores.length) {
      if (sum > value[0]) {
        value[0] = sum;
        best.clear();
        best.add(chosen.clone());
      }
      return;
    }
    for (int e = 0; e < scores[0].length; e++) {
      int expert = e;
      long taken = Arrays.stream(chosen, 0, token).filter(c -> c == expert).count();
      if (taken < share) {
        chosen[token] = e;
        attempt(scores, share, token + 1, chosen, sum + scores[token][e], value, best);
      }
    }
  }
}
