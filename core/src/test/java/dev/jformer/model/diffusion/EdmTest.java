package dev.jformer.model.diffusion;

import static dev.jformer.testing.Close.assertClose;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import dev.jformer.testing.Scoped;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Against closed forms: data that is normally distributed has an exact denoiser. */
@ExtendWith(Scoped.class)
class EdmTest {
  private static final double MEAN = 0.3;
  private static final double DEVIATION = 0.6;

  /** E[y | x] of y with this mean and deviation, and noise of deviation σ. */
  private static final Denoiser EXACT =
      (x, sigma) -> {
        double data = DEVIATION * DEVIATION;
        double noise = sigma * sigma;
        return x.mul(data / (data + noise)).add(noise * MEAN / (data + noise));
      };

  @Test
  void factorsAreThoseOfThePaper() {
    Edm edm = new Edm(0.9, -0.6, 1.2);
    Tensor sigma = Tensor.of(new double[] {0.002, 0.9, 3, 80}, 4);
    for (int i = 0; i < 4; i++) {
      double s = sigma.toDoubles()[i];
      double total = s * s + 0.81;
      assertEquals(0.81 / total, edm.skip(sigma).toDoubles()[i], 1e-12);
      assertEquals(s * 0.9 / Math.sqrt(total), edm.out(sigma).toDoubles()[i], 1e-12);
      assertEquals(1 / Math.sqrt(total), edm.in(sigma).toDoubles()[i], 1e-12);
      assertEquals(Math.log(s) / 4, edm.noise(sigma).toDoubles()[i], 1e-12);
      double weight = edm.weight(sigma).toDoubles()[i];
      assertEquals(total / Math.pow(s * 0.9, 2), weight, 1e-12 * weight);
    }
  }

  @Test
  void logarithmsOfNoiseLevelsAreNormallyDistributed() {
    Tensor logs = new Edm(0.5, -0.7, 1.3).draw(40_000).log().to(DType.FLOAT64);
    assertEquals(-0.7, logs.mean().item(), 0.03);
    assertEquals(1.3, Math.sqrt(logs.variance(0, false).item()), 0.03);
  }

  /** With c_skip, c_in and c_out the network sees and predicts numbers of variance 1. */
  @ParameterizedTest
  @ValueSource(doubles = {0.01, 0.5, 20})
  void theNetworksInputAndTargetHaveVarianceOne(double level) {
    Edm edm = new Edm();
    Tensor y = Tensor.randn(200, 500).to(DType.FLOAT64).mul(edm.sigmaData());
    Tensor x = y.add(Tensor.randn(200, 500).to(DType.FLOAT64), level);
    Tensor sigma = Tensor.full(level, DType.FLOAT64, 200);
    Tensor[] input = new Tensor[1];
    Tensor skipped =
        edm.denoise(
            x,
            sigma,
            (scaled, noise) -> {
              input[0] = scaled;
              return scaled.mul(0.0);
            });
    Tensor target = y.sub(skipped).div(edm.out(sigma).view(-1, 1));
    assertEquals(1, input[0].flatten(0, 1).variance(0, false).item(), 0.02);
    assertEquals(1, target.flatten(0, 1).variance(0, false).item(), 0.02);
    // A network of zeros then has a loss of 1 at all noise levels.
    assertEquals(1, edm.losses(skipped, y, sigma).mean().item(), 0.02);
  }

  /** The loss of the exact denoiser is λ times the variance of y given x. */
  @ParameterizedTest
  @ValueSource(doubles = {0.05, 0.6, 10})
  void theLossOfTheExactDenoiserIsTheConditionalVariance(double level) {
    Edm edm = new Edm();
    Tensor y = Tensor.randn(300, 500).to(DType.FLOAT64).mul(DEVIATION).add(MEAN);
    Tensor x = y.add(Tensor.randn(300, 500).to(DType.FLOAT64), level);
    Tensor sigma = Tensor.full(level, DType.FLOAT64, 300);
    double data = DEVIATION * DEVIATION;
    double noise = level * level;
    double expected = edm.weight(sigma).toDoubles()[0] * data * noise / (data + noise);
    double loss = edm.losses(EXACT.of(x, level), y, sigma).mean().item();
    assertEquals(expected, loss, 0.02 * expected);
  }

  @Test
  void noiseLevelsOfTheSamplerAreThoseOfThePaper() {
    double[] sigmas = new HeunSampler(18).sigmas();
    assertEquals(19, sigmas.length);
    assertEquals(80, sigmas[0], 1e-9);
    assertEquals(0.002, sigmas[17], 1e-12);
    assertEquals(0, sigmas[18]);
    // (80^(1/7) + i/17 (0.002^(1/7) - 80^(1/7)))^7, computed with Python's decimals.
    assertEquals(57.58598472124816, sigmas[1], 1e-9);
    assertEquals(3.256821519765538, sigmas[8], 1e-9);
    for (int i = 1; i < sigmas.length; i++) {
      assertTrue(sigmas[i] < sigmas[i - 1]);
    }
    assertArrayEquals(new double[] {80, 0}, new HeunSampler(1).sigmas(), 1e-9);
  }

  /** x(0) of the exact solution: deviations from the mean shrink with √(s² + σ²). */
  private static double error(int steps) {
    Tensor noise = Tensor.of(new double[] {-2, -0.3, 0, 0.7, 1.9}, 5);
    HeunSampler sampler = new HeunSampler(steps);
    Tensor made = sampler.sample(EXACT, noise, done -> {});
    double shrunk = DEVIATION / Math.sqrt(DEVIATION * DEVIATION + 80 * 80);
    Tensor exact = noise.mul(80.0).sub(MEAN).mul(shrunk).add(MEAN);
    return made.sub(exact).abs().max().item();
  }

  @Test
  void samplesTendToTheExactSolutionWithTheSquareOfTheSteps() {
    double[] errors = {error(32), error(64), error(128), error(256)};
    for (int i = 1; i < errors.length; i++) {
      double order = Math.log(errors[i - 1] / errors[i]) / Math.log(2);
      assertTrue(order > 1.7 && order < 2.4, "order " + order + " of error " + errors[i]);
    }
    assertTrue(errors[3] < 2e-3, "" + errors[3]);
  }

  @Test
  void guidanceExtrapolatesFromTheDenoiserWithoutClass() {
    Denoiser plain = (x, sigma) -> x.mul(2.0);
    Denoiser conditional = (x, sigma) -> x.mul(3.0);
    Tensor x = Tensor.of(new double[] {1, -4}, 2);
    for (double weight : new double[] {0, 0.5, 1, 4}) {
      Tensor guided = Denoiser.guided(conditional, plain, weight).of(x, 1);
      assertClose(x.mul(2 + weight), guided, 1e-12);
    }
  }

  @Test
  void namesWhatMakesNoSense() {
    assertThrows(IllegalArgumentException.class, () -> new Edm(0, -1, 1));
    assertThrows(IllegalArgumentException.class, () -> new Edm(0.5, Double.NaN, 1));
    String message =
        assertThrows(IllegalArgumentException.class, () -> new HeunSampler(18, 2, 1, 7))
            .getMessage();
    assertTrue(message.startsWith("largest is 1.0: expected more than"), message);
    assertThrows(IllegalArgumentException.class, () -> new HeunSampler(0));
  }
}
