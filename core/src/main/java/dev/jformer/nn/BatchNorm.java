package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Batch normalisation of sequences (<a href="https://arxiv.org/abs/1502.03167">Batch Normalization:
 * Accelerating Deep Network Training by Reducing Internal Covariate Shift</a>): each channel is
 * scaled to mean 0 and variance 1 over batch and time in training, by running averages of them in
 * inference; then comes a learned scale and shift. [B, T, C] to [B, T, C].
 */
public final class BatchNorm extends Layer {
  private static final double EPSILON = 1e-5;

  /** How far a batch moves the running averages. */
  private static final double MOMENTUM = 0.1;

  private final Parameter weight;
  private final Parameter bias;
  private final Parameter mean;
  private final Parameter variance;

  /** Creates a layer for a number of channels. */
  public BatchNorm(long channels) {
    this.weight = parameter("weight", Tensor.ones(channels));
    this.bias = parameter("bias", Tensor.zeros(channels));
    this.mean = buffer("mean", Tensor.zeros(channels));
    this.variance = buffer("variance", Tensor.ones(channels));
  }

  /** Normalises sequences, with the channels last: [..., C]. */
  @Override
  public Tensor forward(Tensor x) {
    return normalise(x.reshape(-1, x.size(-1))).reshape(x.shape().toArray());
  }

  /** Normalises images, with the channels second: [B, C, H, W]. */
  public Tensor images(Tensor x) {
    return normalise(x);
  }

  private Tensor normalise(Tensor x) {
    return Functional.batchNorm(
        x,
        weight.value(),
        bias.value(),
        mean.value(),
        variance.value(),
        isTraining(),
        MOMENTUM,
        EPSILON);
  }
}
