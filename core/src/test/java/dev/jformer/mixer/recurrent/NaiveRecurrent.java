package dev.jformer.mixer.recurrent;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/** The recurrent mixers as their papers define them, one token after the other. */
final class NaiveRecurrent {
  private NaiveRecurrent() {}

  static Naive lstm(int hidden) {
    return (x, w) -> {
      double[][] input = w.matrix("input.weight");
      double[][] recurrent = w.matrix("recurrent.weight");
      double[] bias = w.vector("bias");
      double[] h = new double[hidden];
      double[] c = new double[hidden];
      double[][] states = new double[x.length][];
      for (int t = 0; t < x.length; t++) {
        double[] sums = new double[4 * hidden];
        for (int i = 0; i < sums.length; i++) {
          sums[i] = bias[i] + dot(input[i], x[t]) + dot(recurrent[i], h);
        }
        double[] next = new double[hidden];
        for (int i = 0; i < hidden; i++) {
          double keep = Loops.sigmoid(sums[hidden + i]);
          c[i] = keep * c[i] + Loops.sigmoid(sums[i]) * Math.tanh(sums[2 * hidden + i]);
          next[i] = Loops.sigmoid(sums[3 * hidden + i]) * Math.tanh(c[i]);
        }
        h = next;
        states[t] = next;
      }
      return Loops.linear(states, w, "out");
    };
  }

  /** The double sum over pairs of tokens. */
  static Naive retention(int heads, double epsilon) {
    return (x, w) -> {
      int width = x[0].length;
      int d = width / heads;
      double[][] qkv = Loops.linear(x, w, "qkv");
      double[][] gate = Loops.map(Loops.linear(x, w, "gate"), Loops::silu);
      double[][] mixed = new double[x.length][width];
      for (int h = 0; h < heads; h++) {
        double rate = 1 - Math.pow(2, -5 - h);
        for (int t = 0; t < x.length; t++) {
          double[][] sum = new double[1][d];
          for (int s = 0; s <= t; s++) {
            double product = 0;
            for (int i = 0; i < d; i++) {
              product += qkv[t][h * d + i] * qkv[s][width + h * d + i];
            }
            for (int i = 0; i < d; i++) {
              sum[0][i] +=
                  product / Math.sqrt(d) * Math.pow(rate, t - s) * qkv[s][2 * width + h * d + i];
            }
          }
          double[] ones = new double[d];
          java.util.Arrays.fill(ones, 1);
          double[] normed = Loops.layerNorm(sum, ones, new double[d], epsilon)[0];
          for (int i = 0; i < d; i++) {
            mixed[t][h * d + i] = normed[i] * gate[t][h * d + i];
          }
        }
      }
      return Loops.linear(mixed, w, "out");
    };
  }

  /** The linear recurrence, step by step; then that of the reversed sequence, if it is there. */
  static Naive dlr(int states) {
    return (x, w) -> {
      int width = x[0].length;
      double[][] mixed = new double[x.length][width];
      double[] skip = w.vector("skip");
      for (int c = 0; c < width; c++) {
        double[][] s = new double[states][2];
        for (int t = 0; t < x.length; t++) {
          mixed[t][c] = skip[c] * x[t][c] + read(s, x[t][c], c, w, "outward");
        }
        if (w.has("backward")) {
          double[][] r = new double[states][2];
          for (int t = x.length - 1; t > 0; t--) {
            mixed[t - 1][c] += read(r, x[t][c], c, w, "backward");
          }
        }
      }
      return Loops.linear(Loops.map(mixed, Loops::gelu), w, "out");
    };
  }

  /** Moves the states of one channel on by a token, and reads them. */
  private static double read(double[][] s, double token, int channel, Weights w, String name) {
    double[][] outward = w.matrix(name);
    double y = 0;
    for (int n = 0; n < s.length; n++) {
      double size = Math.exp(-Math.pow(w.vector("decay")[n], 2));
      double turn = w.vector("frequency")[n];
      s[n] = times(new double[] {size * Math.cos(turn), size * Math.sin(turn)}, s[n]);
      s[n][0] += token;
      double[] weight = {outward[n][channel], outward[s.length + n][channel]};
      y += times(weight, s[n])[0];
    }
    return y;
  }

  /** The linear system of each channel, step by step. */
  static Naive s4d(int states) {
    return (x, w) -> {
      int width = x[0].length;
      double[] step = w.vector("log-step");
      double[][] decay = w.matrix("log-decay");
      double[][] turn = w.matrix("frequency");
      double[][] outward = w.matrix("outward");
      double[][] mixed = new double[x.length][width];
      for (int c = 0; c < width; c++) {
        double delta = Math.exp(step[c]);
        double[][] s = new double[states][2];
        for (int t = 0; t < x.length; t++) {
          double y = w.vector("skip")[c] * x[t][c];
          for (int n = 0; n < states; n++) {
            double[] a = {-Math.exp(decay[c][n]), turn[c][n]};
            double size = Math.exp(a[0] * delta);
            double[] power = {size * Math.cos(a[1] * delta), size * Math.sin(a[1] * delta)};
            s[n] = times(power, s[n]);
            s[n][0] += x[t][c];
            double[] weight = {outward[c][n], outward[width + c][n]};
            double[] less = {power[0] - 1, power[1]};
            double norm = a[0] * a[0] + a[1] * a[1];
            double[] inverse = {a[0] / norm, -a[1] / norm};
            y += 2 * times(times(times(weight, less), inverse), s[n])[0];
          }
          mixed[t][c] = Loops.gelu(y);
        }
      }
      double[][] both = Loops.linear(mixed, w, "out");
      double[][] result = new double[x.length][width];
      for (int t = 0; t < x.length; t++) {
        for (int c = 0; c < width; c++) {
          result[t][c] = both[t][c] * Loops.sigmoid(both[t][width + c]);
        }
      }
      return result;
    };
  }

  /** The memory step by step; the exponential of its system is a power series. */
  static Naive lmu(int order, double window, int signals) {
    double[][] a = new double[order + 1][order + 1];
    for (int i = 0; i < order; i++) {
      for (int j = 0; j < order; j++) {
        a[i][j] = (2 * i + 1) / window * (i < j ? -1 : Math.pow(-1, i - j + 1));
      }
      a[i][order] = (2 * i + 1) / window * Math.pow(-1, i);
    }
    double[][] discrete = exponential(a);
    return (x, w) -> {
      double[][] u = Loops.map(Loops.linear(x, w, "signal"), v -> Math.max(0, v));
      double[][] read = new double[x.length][];
      double[][] m = new double[signals][order];
      for (int t = 0; t < x.length; t++) {
        read[t] = new double[signals * order + x[t].length];
        for (int c = 0; c < signals; c++) {
          double[] extended = java.util.Arrays.copyOf(m[c], order + 1);
          extended[order] = u[t][c];
          for (int i = 0; i < order; i++) {
            m[c][i] = dot(discrete[i], extended);
            read[t][c * order + i] = m[c][i];
          }
        }
        System.arraycopy(x[t], 0, read[t], signals * order, x[t].length);
      }
      double[][] h = Loops.map(Loops.linear(read, w, "read"), v -> Math.max(0, v));
      return Loops.linear(h, w, "out");
    };
  }

  private static double[][] exponential(double[][] a) {
    int n = a.length;
    double[][] sum = new double[n][n];
    double[][] term = new double[n][n];
    for (int i = 0; i < n; i++) {
      sum[i][i] = 1;
      term[i][i] = 1;
    }
    for (int k = 1; k < 80; k++) {
      double[][] next = new double[n][n];
      for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
          for (int l = 0; l < n; l++) {
            next[i][j] += term[i][l] * a[l][j] / k;
          }
          sum[i][j] += next[i][j];
        }
      }
      term = next;
    }
    return sum;
  }

  private static double[] times(double[] a, double[] b) {
    return new double[] {a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]};
  }

  /** Gates and sums over all earlier tokens. */
  static Naive hyena(int order, int bands, double frequency, int length) {
    return (x, w) -> {
      int width = x[0].length;
      double[][] all = Loops.linear(x, w, "in");
      double[][] parts = new double[x.length][all[0].length];
      double[][] kernel = w.matrix("short.weight");
      for (int t = 0; t < x.length; t++) {
        for (int i = 0; i < parts[t].length; i++) {
          parts[t][i] = w.vector("short.bias")[i];
          for (int back = 0; back < 3 && back <= t; back++) {
            parts[t][i] += kernel[i][2 - back] * all[t - back][i];
          }
        }
      }
      double[][] v = Loops.columns(parts, order * width, (order + 1) * width);
      for (int i = order - 1; i > 0; i--) {
        double[][] gated = gate(parts, i, v);
        double[][] sum = new double[x.length][width];
        for (int t = 0; t < x.length; t++) {
          for (int c = 0; c < width; c++) {
            sum[t][c] = w.matrix("skip")[i - 1][c] * gated[t][c];
          }
        }
        for (int distance = 0; distance < x.length; distance++) {
          double[] filter = filter(distance, width, bands, frequency, length, w);
          for (int t = distance; t < x.length; t++) {
            for (int c = 0; c < width; c++) {
              sum[t][c] += filter[(i - 1) * width + c] * gated[t - distance][c];
            }
          }
        }
        v = sum;
      }
      return Loops.linear(gate(parts, 0, v), w, "out");
    };
  }

  private static double[][] gate(double[][] parts, int i, double[][] v) {
    double[][] gated = new double[v.length][v[0].length];
    for (int t = 0; t < v.length; t++) {
      for (int c = 0; c < v[t].length; c++) {
        gated[t][c] = parts[t][i * v[t].length + c] * v[t][c];
      }
    }
    return gated;
  }

  private static double[] filter(
      int distance, int width, int bands, double frequency, int length, Weights w) {
    double time = distance / (double) (length - 1);
    double[] x = new double[1 + 2 * bands];
    x[0] = time;
    for (int b = 0; b < bands; b++) {
      double turns = bands == 1 ? 1e-4 : 1e-4 + b * (bands - 1 - 1e-4) / (bands - 1);
      x[1 + b] = Math.cos(2 * Math.PI * turns * time);
      x[1 + bands + b] = -Math.sin(2 * Math.PI * turns * time);
    }
    double[][] row = {x};
    for (int layer = 0; layer < 3; layer++) {
      row =
          Loops.map(Loops.linear(row, w, "filter." + layer), value -> Math.sin(frequency * value));
    }
    double[][] last = w.matrix("filter.3.weight");
    double[] filter = new double[last.length];
    for (int i = 0; i < filter.length; i++) {
      double slow = Math.log(100) / 1.5;
      double fast = Math.log(100) / 0.3;
      double speed = slow + (fast - slow) * (i % width) / Math.max(1, width - 1);
      filter[i] = dot(last[i], row[0]) * Math.exp(-speed * time);
    }
    return filter;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
