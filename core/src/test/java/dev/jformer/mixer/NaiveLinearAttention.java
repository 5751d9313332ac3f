package dev.jformer.mixer;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/** Linear attention as in arXiv 2006.16236, one pair of tokens at a time. */
public record NaiveLinearAttention(int heads, boolean causal) implements Naive {
  @Override
  public double[][] forward(double[][] x, Weights weights) {
    int width = x[0].length;
    int d = width / heads;
    double[][] qkv = Loops.linear(x, weights, "qkv");
    double[][] features = Loops.map(qkv, value -> value > 0 ? value + 1 : Math.exp(value));
    double[][] mixed = new double[x.length][width];
    for (int h = 0; h < heads; h++) {
      for (int t = 0; t < x.length; t++) {
        double total = 1e-6;
        double[] sum = new double[d];
        for (int s = 0; s < (causal ? t + 1 : x.length); s++) {
          double product = 0;
          for (int c = 0; c < d; c++) {
            product += features[t][h * d + c] * features[s][width + h * d + c];
          }
          total += product;
          for (int c = 0; c < d; c++) {
            sum[c] += product * qkv[s][2 * width + h * d + c];
          }
        }
        for (int c = 0; c < d; c++) {
          mixed[t][h * d + c] = sum[c] / total;
        }
      }
    }
    return Loops.linear(mixed, weights, "out");
  }
}
