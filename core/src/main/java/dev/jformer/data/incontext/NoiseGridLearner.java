package dev.jformer.data.incontext;

import dev.jformer.config.Checks;

/**
 * The Bayes predictor of linear functions with weights from N(0, I) and noise whose deviation is
 * uniform, in closed form for each deviation of a grid: predictions are weighted by how well each
 * deviation explains the examples so far. It is what models are compared with in <a
 * href="https://arxiv.org/abs/2405.15115">Towards Better Understanding of In-Context Learning
 * Ability from In-Context Uncertainty Quantification</a>.
 *
 * @param least the smallest deviation
 * @param most the largest deviation
 * @param points number of deviations, at the midpoints of as many equal intervals
 */
public record NoiseGridLearner(double least, double most, int points) implements Learner {
  /** Checks the values. */
  public NoiseGridLearner {
    Checks.moreThan("least", least, 0);
    Checks.atLeast("most", most, least);
    Checks.between("points", points, 1, 100_000);
  }

  @Override
  public String name() {
    return "Bayes";
  }

  @Override
  public Run start(int inputs) {
    return new Mixture(inputs);
  }

  private final class Mixture implements Run {
    private final GaussianPosterior[] posteriors = new GaussianPosterior[points];
    private final double[] evidence = new double[points];

    Mixture(int inputs) {
      for (int i = 0; i < points; i++) {
        double deviation = least + (most - least) * (i + 0.5) / points;
        posteriors[i] = new GaussianPosterior(inputs, deviation * deviation);
      }
    }

    private double[] weights() {
      double largest = Double.NEGATIVE_INFINITY;
      for (double each : evidence) {
        largest = Math.max(largest, each);
      }
      double[] weights = new double[points];
      double sum = 0;
      for (int i = 0; i < points; i++) {
        weights[i] = Math.exp(evidence[i] - largest);
        sum += weights[i];
      }
      for (int i = 0; i < points; i++) {
        weights[i] /= sum;
      }
      return weights;
    }

    @Override
    public double predict(double[] x) {
      double[] weights = weights();
      double mean = 0;
      for (int i = 0; i < points; i++) {
        mean += weights[i] * posteriors[i].predict(x);
      }
      return mean;
    }

    @Override
    public double variance(double[] x) {
      double[] weights = weights();
      double mean = predict(x);
      double variance = 0;
      for (int i = 0; i < points; i++) {
        double distance = posteriors[i].predict(x) - mean;
        variance += weights[i] * (posteriors[i].variance(x) + distance * distance);
      }
      return variance;
    }

    @Override
    public void observe(double[] x, double y) {
      for (int i = 0; i < points; i++) {
        evidence[i] += posteriors[i].logDensity(x, y);
        posteriors[i].observe(x, y);
      }
    }
  }
}
