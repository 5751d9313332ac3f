package dev.jformer.model.diffusion;

import dev.jformer.tensor.Tensor;

/** What predicts images from noisy ones: the mean of all images that may stand behind one. */
@FunctionalInterface
public interface Denoiser {
  /**
   * Predicts the images.
   *
   * @param noisy images with noise, [B, ...]
   * @param sigma the deviation of the noise
   * @return of the same shape
   */
  Tensor of(Tensor noisy, double sigma);

  /**
   * Classifier-free guidance (<a href="https://arxiv.org/abs/2207.12598">Classifier-Free Diffusion
   * Guidance</a>): {@code D_0 + w (D_c - D_0)}, where D_c knows the class and D_0 does not.
   *
   * @param conditional D_c
   * @param unconditional D_0
   * @param weight w; 1 for D_c alone, 0 for D_0 alone
   */
  static Denoiser guided(Denoiser conditional, Denoiser unconditional, double weight) {
    if (weight == 1) {
      return conditional;
    }
    if (weight == 0) {
      return unconditional;
    }
    return (noisy, sigma) -> {
      Tensor plain = unconditional.of(noisy, sigma);
      return plain.add(conditional.of(noisy, sigma).sub(plain), weight);
    };
  }
}
