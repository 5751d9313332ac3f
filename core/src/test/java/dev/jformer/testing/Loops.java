package dev.jformer.testing;

import java.util.function.DoubleUnaryOperator;

/** The building bricks of naive references, in plain loops over float64 numbers. */
public final class Loops {
  private Loops() {}

  /** {@code x Wᵀ + b} of each row; weight [out][in]; bias [out] or null. */
  public static double[][] linear(double[][] x, double[][] weight, double[] bias) {
    double[][] y = new double[x.length][weight.length];
    for (int t = 0; t < x.length; t++) {
      for (int o = 0; o < weight.length; o++) {
        double sum = bias == null ? 0 : bias[o];
        for (int i = 0; i < x[t].length; i++) {
          sum += x[t][i] * weight[o][i];
        }
        y[t][o] = sum;
      }
    }
    return y;
  }

  /** {@link #linear} with the weights {@code name.weight} and {@code name.bias}, if it is there. */
  public static double[][] linear(double[][] x, Weights weights, String name) {
    return linear(x, weights.matrix(name + ".weight"), weights.vector(name + ".bias"));
  }

  /** Sum, element by element. */
  public static double[][] add(double[][] a, double[][] b) {
    double[][] sum = new double[a.length][];
    for (int t = 0; t < a.length; t++) {
      sum[t] = a[t].clone();
      for (int i = 0; i < a[t].length; i++) {
        sum[t][i] += b[t][i];
      }
    }
    return sum;
  }

  /** A function of each element. */
  public static double[][] map(double[][] x, DoubleUnaryOperator function) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = java.util.Arrays.stream(x[t]).map(function).toArray();
    }
    return y;
  }

  /** Channels {@code from … to - 1} of each row. */
  public static double[][] columns(double[][] x, int from, int to) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = java.util.Arrays.copyOfRange(x[t], from, to);
    }
    return y;
  }

  /** Softmax; an entry of minus infinity gets no weight; all zeros if every entry is that. */
  public static double[] softmax(double[] logits) {
    double max = java.util.Arrays.stream(logits).max().getAsDouble();
    double[] weights = new double[logits.length];
    if (max == Double.NEGATIVE_INFINITY) {
      return weights;
    }
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Math.exp(logits[i] - max);
      sum += weights[i];
    }
    for (int i = 0; i < logits.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }

  /** Logarithm of the sum of exponentials. */
  public static double logSumExp(double[] x) {
    double max = java.util.Arrays.stream(x).max().getAsDouble();
    double sum = 0;
    for (double value : x) {
      sum += Math.exp(value - max);
    }
    return max + Math.log(sum);
  }

  /** Layer normalisation of each row; bias may be null. */
  public static double[][] layerNorm(double[][] x, double[] weight, double[] bias, double epsilon) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      int width = x[t].length;
      double mean = 0;
      for (double value : x[t]) {
        mean += value / width;
      }
      double variance = 0;
      for (double value : x[t]) {
        variance += (value - mean) * (value - mean) / width;
      }
      y[t] = new double[width];
      for (int i = 0; i < width; i++) {
        y[t][i] =
            (x[t][i] - mean) / Math.sqrt(variance + epsilon) * weight[i]
                + (bias == null ? 0 : bias[i]);
      }
    }
    return y;
  }

  /** Root-mean-square normalisation of each row. */
  public static double[][] rmsNorm(double[][] x, double[] weight, double epsilon) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double square = 0;
      for (double value : x[t]) {
        square += value * value / x[t].length;
      }
      y[t] = new double[x[t].length];
      for (int i = 0; i < x[t].length; i++) {
        y[t][i] = x[t][i] / Math.sqrt(square + epsilon) * weight[i];
      }
    }
    return y;
  }

  /** Logistic function. */
  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  /** {@code x sigmoid(x)}. */
  public static double silu(double x) {
    return x * sigmoid(x);
  }

  /** Gaussian error linear unit, exact. */
  public static double gelu(double x) {
    return 0.5 * x * (1 + erf(x / Math.sqrt(2)));
  }

  /** The tanh approximation of {@link #gelu}. */
  public static double geluTanh(double x) {
    return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  /** The error function by its all-positive series, to about 1e-15. */
  public static double erf(double x) {
    if (Math.abs(x) > 6) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }
}
