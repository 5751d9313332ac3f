package dev.jformer.model.diffusion;

import dev.jformer.config.Checks;
import dev.jformer.tensor.Tensor;

/**
 * The noise levels of training and the preconditioning of a denoiser, of <a
 * href="https://arxiv.org/abs/2206.00364">Elucidating the Design Space of Diffusion-Based
 * Generative Models</a> (EDM), with the levels of <a
 * href="https://arxiv.org/abs/2407.15811">Stretching Each Dollar: Diffusion Training from Scratch
 * on a Micro-Budget</a>. An image y gets noise of deviation σ, {@code x = y + σ n}. The denoiser D
 * predicts y from x; a network F computes it on numbers of variance 1:
 *
 * <pre>
 * D(x; σ) = c_skip x + c_out F(c_in x; c_noise)
 * c_skip  = σ_d² / (σ² + σ_d²)        c_out   = σ σ_d / √(σ² + σ_d²)
 * c_in    = 1 / √(σ² + σ_d²)          c_noise = ln σ / 4
 * loss    = λ |D(x; σ) - y|²          λ       = (σ² + σ_d²) / (σ σ_d)² = 1 / c_out²
 * </pre>
 *
 * <p>In training ln σ is normally distributed. Its mean is that of the second paper; EDM has -1.2,
 * with which a short training sees few images so noisy that only the class says what they are of.
 *
 * @param sigmaData σ_d, the deviation of the data
 * @param logMean the mean of ln σ in training
 * @param logDeviation the deviation of ln σ in training
 */
public record Edm(double sigmaData, double logMean, double logDeviation) {
  /** Defaults for pixels from -1 to 1. */
  public Edm() {
    this(0.5, -0.6, 1.2);
  }

  /** Checks the values. */
  public Edm {
    Checks.moreThan("sigmaData", sigmaData, 0);
    Checks.check(Double.isFinite(logMean), "logMean", logMean, "a finite number");
    Checks.moreThan("logDeviation", logDeviation, 0);
  }

  /** Draws noise levels of training, float32 [count]. */
  public Tensor draw(long count) {
    return levels(Tensor.randn(count));
  }

  /** The noise levels σ of standard normal numbers, of the same shape. */
  public Tensor levels(Tensor normal) {
    return normal.mul(logDeviation).add(logMean).exp();
  }

  /** The factor of the noisy image in the denoised one, for each σ. */
  public Tensor skip(Tensor sigma) {
    return variance(sigma).reciprocal().mul(sigmaData * sigmaData);
  }

  /** The factor of the network's output in the denoised image, for each σ. */
  public Tensor out(Tensor sigma) {
    return sigma.mul(sigmaData).mul(in(sigma));
  }

  /** The factor that gives the network's input a variance of 1, for each σ. */
  public Tensor in(Tensor sigma) {
    return variance(sigma).rsqrt();
  }

  /** What the network is told of the noise, ln σ / 4, for each σ. */
  public Tensor noise(Tensor sigma) {
    return sigma.log().mul(0.25);
  }

  /** The weight λ of the squared error, for each σ. */
  public Tensor weight(Tensor sigma) {
    return variance(sigma).div(sigma.mul(sigmaData).square());
  }

  private Tensor variance(Tensor sigma) {
    return sigma.square().add(sigmaData * sigmaData);
  }

  /**
   * Computes the denoised images.
   *
   * @param noisy [B, ...]
   * @param sigma [B], the noise level of each
   * @param network F: from the scaled images and ln σ / 4 [B] to the shape of the images
   * @return D, of the shape of the images
   */
  public Tensor denoise(Tensor noisy, Tensor sigma, Network network) {
    Tensor each = along(sigma, noisy);
    Tensor output = network.of(noisy.mul(in(each)), noise(sigma)).to(noisy.dtype());
    return noisy.mul(skip(each)).add(output.mul(out(each)));
  }

  /** Computes the loss of each number, λ (D - y)²; both of shape [B, ...], σ of shape [B]. */
  public Tensor losses(Tensor denoised, Tensor images, Tensor sigma) {
    return denoised.sub(images).square().mul(weight(along(sigma, images)));
  }

  /** The noise levels [B] as [B, 1, ...], to be multiplied with the images. */
  private static Tensor along(Tensor sigma, Tensor images) {
    long[] shape = new long[images.rank()];
    java.util.Arrays.fill(shape, 1);
    shape[0] = sigma.size(0);
    return sigma.reshape(shape).to(images.dtype());
  }

  /** A network whose inputs and outputs have a variance of about 1. */
  @FunctionalInterface
  public interface Network {
    /** Computes F from scaled noisy images [B, ...] and ln σ / 4 [B]. */
    Tensor of(Tensor scaled, Tensor noise);
  }
}
