package dev.jformer.incontext;

import dev.jformer.config.Checks;
import java.util.Arrays;

/**
 * What {@link LinearSelfAttention} learns from prompts of linear regression, in closed form (<a
 * href="https://arxiv.org/abs/2306.09927">Trained Transformers Learn Linear Models In-Context</a>).
 * With Γ = (1 + 1/N) Λ + tr(Λ)/N I it ends at the prediction xᵀ Γ⁻¹ (1/M) Σ yᵢ xᵢ.
 *
 * @param variances of the inputs' coordinates in training, Λ
 * @param examples of a prompt in training, N
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record LinearAttentionTheory(double[] variances, int examples) {
  /** Checks the values. */
  public LinearAttentionTheory {
    Checks.atLeast("dimensions", variances.length, 1);
    Checks.atLeast("examples", examples, 1);
  }

  /**
   * Merged weights.
   *
   * @param keyQuery W_KQ, [d+1, d+1]
   * @param projectionValue W_PV, [d+1, d+1]
   */
  public record Weights(double[][] keyQuery, double[][] projectionValue) {
    /** The largest difference of a weight. */
    public double distance(Weights other) {
      return Math.max(
          distance(keyQuery, other.keyQuery), distance(projectionValue, other.projectionValue));
    }

    /** The largest difference of the products of both matrices' parts that count. */
    public double productDistance(Weights other) {
      int d = keyQuery.length - 1;
      double largest = 0;
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          double mine = projectionValue[d][d] * keyQuery[i][j];
          double theirs = other.projectionValue[d][d] * other.keyQuery[i][j];
          largest = Math.max(largest, Math.abs(mine - theirs));
        }
      }
      return largest;
    }

    private static double distance(double[][] a, double[][] b) {
      double largest = 0;
      for (int i = 0; i < a.length; i++) {
        for (int j = 0; j < a.length; j++) {
          largest = Math.max(largest, Math.abs(a[i][j] - b[i][j]));
        }
      }
      return largest;
    }
  }

  private static Weights weights(double u, double[] diagonal) {
    int d = diagonal.length;
    double[][] keyQuery = new double[d + 1][d + 1];
    double[][] projectionValue = new double[d + 1][d + 1];
    for (int i = 0; i < d; i++) {
      keyQuery[i][i] = diagonal[i];
    }
    projectionValue[d][d] = u;
    return new Weights(keyQuery, projectionValue);
  }

  /** The paper's start, of norm {@code scale} in each matrix. */
  static Weights start(int dimensions, double scale) {
    double[] diagonal = new double[dimensions];
    Arrays.fill(diagonal, scale / Math.sqrt(dimensions));
    return weights(scale, diagonal);
  }

  private double trace() {
    return Arrays.stream(variances).sum();
  }

  /** The eigenvalues of Γ. */
  public double[] gamma() {
    double n = examples;
    return Arrays.stream(variances).map(v -> (1 + 1 / n) * v + trace() / n).toArray();
  }

  /** The weights that gradient flow ends at. */
  public Weights optimum() {
    double[] gamma = gamma();
    double sum = Arrays.stream(gamma).map(g -> 1 / (g * g)).sum();
    double[] diagonal = Arrays.stream(gamma).map(g -> Math.pow(sum, -0.25) / g).toArray();
    return weights(Math.pow(sum, 0.25), diagonal);
  }

  /**
   * Follows the gradient of the expected loss over all prompts, from the paper's start.
   *
   * @param scale of the start
   * @param rate of each step
   */
  public Weights descend(double scale, double rate, int steps) {
    int d = variances.length;
    double[] gamma = gamma();
    double u = scale;
    double[] diagonal = new double[d];
    Arrays.fill(diagonal, scale / Math.sqrt(d));
    for (int step = 0; step < steps; step++) {
      double slope = 0;
      double[] slopes = new double[d];
      for (int i = 0; i < d; i++) {
        // Of half the squared error, E[v vᵀ] = Λ Γ and E[w vᵀ] = Λ for v = (1/N) Σ y x.
        double v = variances[i];
        double residual = v * v * (gamma[i] * u * diagonal[i] - 1);
        slope += residual * diagonal[i];
        slopes[i] = residual * u;
      }
      u -= rate * slope;
      for (int i = 0; i < d; i++) {
        diagonal[i] -= rate * slopes[i];
      }
    }
    return weights(u, diagonal);
  }

  /**
   * The expected squared error of the trained layer on other prompts.
   *
   * @param others variances of the inputs' coordinates in the test
   * @param count examples of a prompt in the test, M
   */
  public double error(double[] others, int count) {
    double[] gamma = gamma();
    double trace = Arrays.stream(others).sum();
    double error = 0;
    for (int i = 0; i < others.length; i++) {
      double v = others[i];
      // Second moment of the covariance of M inputs, in one coordinate.
      double square = v * v + (v * v + trace * v) / count;
      error += v * (square / (gamma[i] * gamma[i]) - 2 * v / gamma[i] + 1);
    }
    return error;
  }
}
