package dev.jformer.mixer;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/** Flow-Attention as in arXiv 2202.06258, one flow at a time. */
public record NaiveFlow(int heads, boolean causal) implements Naive {
  private static final double EPSILON = 1e-6;

  @Override
  public double[][] forward(double[][] x, Weights weights) {
    int width = x[0].length;
    int d = width / heads;
    double[][] qkv = Loops.linear(x, weights, "qkv");
    double[][] mixed = new double[x.length][width];
    for (int h = 0; h < heads; h++) {
      double[][] q = Loops.map(Loops.columns(qkv, h * d, (h + 1) * d), Loops::sigmoid);
      double[][] k =
          Loops.map(Loops.columns(qkv, width + h * d, width + (h + 1) * d), Loops::sigmoid);
      double[][] v = Loops.columns(qkv, 2 * width + h * d, 2 * width + (h + 1) * d);
      double[][] result = causal ? causal(q, k, v) : bothWays(q, k, v);
      for (int t = 0; t < x.length; t++) {
        System.arraycopy(result[t], 0, mixed[t], h * d, d);
      }
    }
    return Loops.linear(mixed, weights, "out");
  }

  private static double[][] bothWays(double[][] q, double[][] k, double[][] v) {
    int length = q.length;
    double[] incoming = new double[length];
    double[] outgoing = new double[length];
    for (int t = 0; t < length; t++) {
      incoming[t] = flow(q[t], k, length, i -> 1);
      outgoing[t] = flow(k[t], q, length, i -> 1);
    }
    double[] sink = new double[length];
    double[] source = new double[length];
    for (int t = 0; t < length; t++) {
      sink[t] = flow(q[t], k, length, j -> 1 / outgoing[j]);
      source[t] = clamp(flow(k[t], q, length, i -> 1 / incoming[i]));
    }
    double[] competition = Loops.softmax(source);
    double[][] result = new double[length][v[0].length];
    for (int i = 0; i < length; i++) {
      for (int j = 0; j < length; j++) {
        double weight = Loops.sigmoid(sink[i]) / incoming[i] * competition[j] * length;
        add(result[i], v[j], weight * dot(q[i], k[j]));
      }
    }
    return result;
  }

  private static double[][] causal(double[][] q, double[][] k, double[][] v) {
    int length = q.length;
    double[] incoming = new double[length];
    double[] outgoing = new double[length];
    for (int t = 0; t < length; t++) {
      incoming[t] = flow(q[t], k, t + 1, i -> 1);
      outgoing[t] = flow(k[t], q, t + 1, i -> 1);
    }
    double[] sink = new double[length];
    double[] strength = new double[length];
    for (int t = 0; t < length; t++) {
      sink[t] = flow(q[t], k, t + 1, j -> (j + 1) / outgoing[j]) / (t + 1);
      strength[t] = Math.exp(clamp(flow(k[t], q, t + 1, i -> (i + 1) / incoming[i]) / (t + 1)));
    }
    double[] competition = new double[length];
    double sum = 0;
    for (int t = 0; t < length; t++) {
      sum += strength[t];
      competition[t] = strength[t] / sum * (t + 1);
    }
    double[][] result = new double[length][v[0].length];
    for (int i = 0; i < length; i++) {
      for (int j = 0; j <= i; j++) {
        double weight = Loops.sigmoid(sink[i]) / incoming[i] * competition[j];
        add(result[i], v[j], weight * dot(q[i], k[j]));
      }
    }
    return result;
  }

  /** (a + ε)·(Σ w_j b_j + ε) over the first {@code count}. */
  private static double flow(
      double[] a, double[][] b, int count, java.util.function.IntToDoubleFunction weight) {
    double[] total = new double[a.length];
    for (int j = 0; j < count; j++) {
      add(total, b[j], weight.applyAsDouble(j));
    }
    double flow = 0;
    for (int c = 0; c < a.length; c++) {
      flow += (a[c] + EPSILON) * (total[c] + EPSILON);
    }
    return flow;
  }

  private static double clamp(double x) {
    return Math.max(-1, Math.min(1, x));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int c = 0; c < a.length; c++) {
      sum += a[c] * b[c];
    }
    return sum;
  }

  private static void add(double[] to, double[] x, double factor) {
    for (int c = 0; c < to.length; c++) {
      to[c] += factor * x[c];
    }
  }
}
