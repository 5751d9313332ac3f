package dev.jformer.incontext;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Random;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import dev.jformer.train.AdamW;
import dev.jformer.train.Optimizer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(Scoped.class)
class DistributionTransformerTest {
  /** Random mixtures in float64. */
  private static GaussianMixture mixtures(int batch, int components, int d) {
    Tensor weights = Tensor.randn(batch, components).to(DType.FLOAT64).logSoftmax(1);
    Tensor means = Tensor.randn(batch, components, d).to(DType.FLOAT64).mul(2);
    Tensor lower = Tensor.randn(batch, components, d, d).to(DType.FLOAT64).tril(-1);
    Tensor diagonal = Tensor.ones(d, d).to(DType.FLOAT64).tril(0).triu(0);
    Tensor positive = Tensor.rand(batch, components, d, d).to(DType.FLOAT64).add(0.3);
    return new GaussianMixture(weights, means, lower.add(positive.mul(diagonal)));
  }

  /** By Cholesky's factor inverted by hand for d of 1 and 2. */
  private static double naive(GaussianMixture mixture, int b, double... x) {
    int d = x.length;
    double density = 0;
    for (int k = 0; k < mixture.components(); k++) {
      double[] mean = mixture.means().select(0, b).select(0, k).toDoubles();
      double[] l = mixture.factors().select(0, b).select(0, k).toDoubles();
      double square;
      double determinant;
      if (d == 1) {
        square = Math.pow((x[0] - mean[0]) / l[0], 2);
        determinant = l[0] * l[0];
      } else {
        double a = l[0] * l[0];
        double c = l[0] * l[2];
        double e = l[2] * l[2] + l[3] * l[3];
        determinant = a * e - c * c;
        double u = x[0] - mean[0];
        double v = x[1] - mean[1];
        square = (e * u * u - 2 * c * u * v + a * v * v) / determinant;
      }
      double weight = Math.exp(mixture.logWeights().select(0, b).toDoubles()[k]);
      density += weight * Math.exp(-square / 2) / Math.sqrt(Math.pow(2 * Math.PI, d) * determinant);
    }
    return Math.log(density);
  }

  @Test
  void densitiesAreThoseOfTheDefinition() {
    Random.seed(2);
    for (int d : new int[] {1, 2}) {
      GaussianMixture mixture = mixtures(7, 3, d);
      Tensor points = Tensor.randn(7, d).to(DType.FLOAT64).mul(2);
      double[] found = mixture.logDensity(points).toDoubles();
      for (int b = 0; b < 7; b++) {
        assertEquals(naive(mixture, b, points.select(0, b).toDoubles()), found[b], 1e-9);
      }
    }
  }

  @Test
  void samplesHaveTheMixturesMeanAndDensity() {
    Random.seed(3);
    GaussianMixture one = mixtures(1, 3, 2);
    int count = 200_000;
    GaussianMixture many =
        new GaussianMixture(
            one.logWeights().expand(count, 3),
            one.means().expand(count, 3, 2),
            one.factors().expand(count, 3, 2, 2));
    Tensor points = many.sample();
    double[] mean = points.mean(0, false).toDoubles();
    assertArrayEquals(one.mean().select(0, 0).toDoubles(), mean, 0.03);
  }

  /** Bayes' rule on a fine grid. */
  @Test
  void posteriorsAreThoseOfBayesRule() {
    Random.seed(4);
    for (int n : new int[] {1, 2, 9}) {
      GaussianMixture prior = mixtures(3, 2, 1);
      Tensor observations = Tensor.randn(3, n).to(DType.FLOAT64).mul(2);
      GaussianMixture posterior = prior.afterObservations(observations, 0.7);
      for (int b = 0; b < 3; b++) {
        double[] seen = observations.select(0, b).toDoubles();
        double sum = 0;
        double[] unscaled = new double[4001];
        for (int i = 0; i < 4001; i++) {
          double x = -20 + i * 0.01;
          double log = naive(prior, b, x);
          for (double y : seen) {
            log -= (y - x) * (y - x) / 1.4;
          }
          unscaled[i] = Math.exp(log);
          sum += unscaled[i] * 0.01;
        }
        for (int i = 1500; i < 2500; i += 100) {
          double expected = unscaled[i] / sum;
          assertEquals(expected, Math.exp(naive(posterior, b, -20 + i * 0.01)), 1e-6);
        }
      }
    }
    assertThrows(
        IllegalArgumentException.class,
        () -> mixtures(1, 2, 2).afterObservations(Tensor.ones(1, 1), 1));
  }

  @Test
  void stepsMoveMeansAndVariances() {
    GaussianMixture before = mixtures(2, 3, 1);
    GaussianMixture after = before.afterStep(0.95, 1);
    double sigma = before.factors().toDoubles()[4];
    assertEquals(Math.sqrt(0.9025 * sigma * sigma + 1), after.factors().toDoubles()[4], 1e-12);
    assertEquals(0.95 * before.means().toDoubles()[4], after.means().toDoubles()[4], 1e-12);
  }

  private static GaussianMixture single(GaussianMixture mixture) {
    return new GaussianMixture(
        mixture.logWeights().to(DType.FLOAT32),
        mixture.means().to(DType.FLOAT32),
        mixture.factors().to(DType.FLOAT32));
  }

  @Test
  void theOrderOfComponentsAndObservationsDoesNotMatter() {
    Random.seed(5);
    for (int d : new int[] {1, 3}) {
      try (DistributionTransformer model =
          new DistributionTransformer.Config(d, 2, 2, 32, 4, 64).build()) {
        GaussianMixture prior = single(mixtures(5, 4, d));
        Tensor observations = Tensor.randn(5, 70, 2);
        GaussianMixture found = model.forward(prior, observations);
        Tensor order = Tensor.of(new long[] {2, 0, 3, 1}, 4);
        GaussianMixture turned =
            new GaussianMixture(
                prior.logWeights().indexSelect(1, order),
                prior.means().indexSelect(1, order),
                prior.factors().indexSelect(1, order));
        GaussianMixture other = model.forward(turned, observations.flip(1));
        assertArrayEquals(
            found.means().indexSelect(1, order).toFloats(), other.means().toFloats(), 1e-4f);
        assertArrayEquals(
            found.logWeights().indexSelect(1, order).toFloats(),
            other.logWeights().toFloats(),
            1e-4f);
        assertEquals(5, found.logWeights().exp().sum().item(), 1e-4);
        assertEquals(d, found.dimensions());
        float[] factors = found.factors().toFloats();
        for (int i = 0; i < factors.length; i++) {
          int row = i / d % d;
          int column = i % d;
          assertTrue(column > row ? factors[i] == 0 : column < row || factors[i] > 0);
        }
      }
    }
  }

  /** A few updates bring it nearer to the exact posterior than the prior is. */
  @Test
  void learnsPosteriors() {
    Random.seed(6);
    try (DistributionTransformer model =
            new DistributionTransformer.Config().withLayers(2).withHidden(32).build();
        Optimizer optimizer = new AdamW.Config().withWeightDecay(0).build(model)) {
      for (int step = 0; step < 300; step++) {
        try (Scope scope = Scope.open()) {
          GaussianMixture prior = single(mixtures(64, 2, 1));
          Tensor point = prior.sample();
          Tensor observations = point.unsqueeze(1).add(Tensor.randn(64, 3, 1));
          model.clearGrads();
          model.forward(prior, observations).logDensity(point).mean().neg().backward();
          optimizer.clipGradients(1);
          optimizer.step(2e-3 * (1 - step / 300.0));
        }
      }
      GaussianMixture prior = single(mixtures(2000, 2, 1));
      Tensor point = prior.sample();
      Tensor observations = point.unsqueeze(1).add(Tensor.randn(2000, 3, 1));
      double before = prior.logDensity(point).mean().item();
      double exact =
          prior.afterObservations(observations.squeeze(2), 1).logDensity(point).mean().item();
      double found = model.forward(prior, observations).logDensity(point).mean().item();
      assertTrue(found > before + 0.6 * (exact - before), before + ", " + found + ", " + exact);
      assertTrue(found < exact + 0.02, found + " of " + exact);
    }
  }
}
