package dev.jformer.mixer;

import dev.jformer.testing.Loops;
import dev.jformer.testing.Naive;
import dev.jformer.testing.Weights;

/** The definition of an Extractor in plain loops. */
public final class NaiveExtractor implements Naive {
  private final String type;
  private final boolean[] keep;

  /**
   * A definition.
   *
   * @param type she, he, we or me
   * @param keep which tokens are not padding; null for all
   */
  public NaiveExtractor(String type, boolean[] keep) {
    this.type = type;
    this.keep = keep;
  }

  @Override
  public double[][] forward(double[][] x, Weights weights) {
    double[][] sources = type.equals("he") ? Loops.linear(x, weights, "value") : x;
    double[][] gates = Loops.linear(x, weights, "adjust");
    double[] kernel = weights.values().get("weights");
    double[][] adjusted = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      int count = 0;
      for (int s = 0; s <= t; s++) {
        if (keep == null || keep[s]) {
          count++;
          for (int d = 0; d < x[t].length; d++) {
            adjusted[t][d] += weighted(kernel, t - s, sources[s], d);
          }
        }
      }
      for (int d = 0; d < x[t].length; d++) {
        adjusted[t][d] *= gates[t][d] / Math.sqrt(Math.max(1, count));
      }
    }
    return Loops.linear(adjusted, weights, "out");
  }

  private double weighted(double[] kernel, int distance, double[] source, int channel) {
    int width = source.length;
    if (type.equals("me")) {
      return kernel[distance] * source[channel];
    }
    if (!type.equals("she")) {
      return kernel[distance * width + channel] * source[channel];
    }
    double sum = 0;
    for (int i = 0; i < width; i++) {
      sum += kernel[(distance * width + i) * width + channel] * source[i];
    }
    return sum;
  }
}
