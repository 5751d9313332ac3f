package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.function.IntConsumer;

/**
 * Heun's method for the differential equation {@code dx/dσ = (x - D(x; σ)) / σ}, which takes noise
 * to images: algorithm 1 of <a href="https://arxiv.org/abs/2206.00364">Elucidating the Design Space
 * of Diffusion-Based Generative Models</a>, without added noise. The noise levels are {@code
 * (σ_max^(1/ρ) + i/(N-1) (σ_min^(1/ρ) - σ_max^(1/ρ)))^ρ}, and 0 at the end. A step calls the
 * denoiser twice, the last one once; the error falls with the square of the number of steps.
 *
 * @param steps N
 * @param smallest σ_min, the last noise level above 0
 * @param largest σ_max, the first noise level
 * @param rho ρ; the larger, the more steps have little noise
 */
public record HeunSampler(int steps, double smallest, double largest, double rho) {
  /** Defaults: 18 steps, as for images of 32 x 32 in the paper. */
  public HeunSampler() {
    this(18);
  }

  /** The usual noise levels in a number of steps. */
  public HeunSampler(int steps) {
    this(steps, 0.002, 80, 7);
  }

  /** Checks the values. */
  public HeunSampler {
    Checks.between("steps", steps, 1, 100_000);
    Checks.moreThan("smallest", smallest, 0);
    Checks.check(
        largest > smallest && Double.isFinite(largest),
        "largest",
        largest,
        "more than the smallest noise level " + smallest);
    Checks.moreThan("rho", rho, 0);
  }

  /** The noise levels, of which the first is the largest and the last, N + 1st, is 0. */
  public double[] sigmas() {
    double[] sigmas = new double[steps + 1];
    double first = Math.pow(largest, 1 / rho);
    double last = Math.pow(smallest, 1 / rho);
    for (int i = 0; i < steps; i++) {
      double share = steps == 1 ? 0 : (double) i / (steps - 1);
      sigmas[i] = Math.pow(first + share * (last - first), rho);
    }
    return sigmas;
  }

  /**
   * Makes images of noise.
   *
   * @param noise standard normal numbers, [B, ...]; the steps are computed in their type
   * @param progress called after each step with the number of steps done
   * @return images, of the same shape
   */
  public Tensor sample(Denoiser denoiser, Tensor noise, IntConsumer progress) {
    double[] sigmas = sigmas();
    Tensor x = noise.mul(sigmas[0]);
    for (int i = 0; i < steps; i++) {
      Tensor now = x;
      double from = sigmas[i];
      double to = sigmas[i + 1];
      x = Scope.tidy(() -> step(denoiser, now, from, to));
      progress.accept(i + 1);
    }
    return x;
  }

  private static Tensor step(Denoiser denoiser, Tensor x, double from, double to) {
    Tensor slope = slope(denoiser, x, from);
    Tensor next = x.add(slope, to - from);
    return to == 0 ? next : x.add(slope.add(slope(denoiser, next, to)), (to - from) / 2);
  }

  private static Tensor slope(Denoiser denoiser, Tensor x, double sigma) {
    return x.sub(denoiser.of(x, sigma)).div(sigma);
  }
}
