package dev.jformer.incontext;

import dev.jformer.config.Checks;
import java.util.random.RandomGenerator;

/**
 * Prompts of linear regression: inputs from a normal distribution with independent coordinates, a
 * task drawn from the standard normal distribution for each prompt, outputs without noise (<a
 * href="https://arxiv.org/abs/2306.09927">Trained Transformers Learn Linear Models In-Context</a>).
 *
 * @param variances of the inputs' coordinates, Λ
 * @param examples in a prompt, before the query
 * @param isMixed whether each prompt has variances of its own: {@code variances} times numbers
 *     drawn from an exponential distribution of mean 1
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record RegressionPrompts(double[] variances, int examples, boolean isMixed) {
  /** Checks the values. */
  public RegressionPrompts {
    Checks.atLeast("dimensions", variances.length, 1);
    Checks.atLeast("examples", examples, 1);
    for (double variance : variances) {
      Checks.moreThan("variance", variance, 0);
    }
  }

  /** Prompts of inputs with equal variances. */
  public static RegressionPrompts of(double[] variances, int examples) {
    return new RegressionPrompts(variances, examples, false);
  }

  /**
   * A prompt.
   *
   * @param columns a column for each example and for the query, with the output in the last row,
   *     that of the query being 0: [d+1, N+1]
   * @param answer the query's output
   */
  public record Prompt(double[][] columns, double answer) {}

  /** Draws a prompt. */
  public Prompt draw(RandomGenerator random) {
    int d = variances.length;
    double[] deviations = new double[d];
    double[] task = new double[d];
    for (int i = 0; i < d; i++) {
      double times = isMixed ? -Math.log1p(-random.nextDouble()) : 1;
      deviations[i] = Math.sqrt(variances[i] * times);
      task[i] = random.nextGaussian();
    }
    double[][] columns = new double[d + 1][examples + 1];
    double answer = 0;
    for (int n = 0; n <= examples; n++) {
      double y = 0;
      for (int i = 0; i < d; i++) {
        columns[i][n] = deviations[i] * random.nextGaussian();
        y += task[i] * columns[i][n];
      }
      if (n < examples) {
        columns[d][n] = y;
      } else {
        answer = y;
      }
    }
    return new Prompt(columns, answer);
  }
}
