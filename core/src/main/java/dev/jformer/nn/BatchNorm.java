package dev.jformer.nn;

import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Tensor;

/**
 * Batch normalisation of sequences (arXiv 1502.03167): each channel to mean 0 and variance 1 over
 * the batch and time in training, by running averages of those otherwise, then a learned scale and
 * shift. [B, T, C] to [B, T, C].
 */
public final class BatchNorm extends Layer {
  private static final double EPSILON = 1e-5;

  /** How far a batch moves the running averages. */
  private static final double MOMENTUM = 0.1;

  private final Parameter weight;
  private final Parameter bias;
  private final Parameter mean;
  private final Parameter variance;

  /** A new layer for so many channels. */
  public BatchNorm(long channels) {
    this.weight = parameter("weight", Tensor.ones(channels));
    this.bias = parameter("bias", Tensor.zeros(channels));
    this.mean = buffer("mean", Tensor.zeros(channels));
    this.variance = buffer("variance", Tensor.ones(channels));
  }

  @Override
  public Tensor forward(Tensor x) {
    if (!isTraining()) {
      return normalise(x, mean.value(), variance.value());
    }
    Tensor rows = x.flatten(0, 1);
    Tensor batchMean = rows.mean(0, false);
    Tensor batchVariance = rows.sub(batchMean).square().mean(0, false);
    follow(rows.size(0), batchMean.detach(), batchVariance.detach());
    return normalise(x, batchMean, batchVariance);
  }

  private void follow(long count, Tensor batchMean, Tensor batchVariance) {
    try (Mode mode = Autograd.noGrad()) {
      // The running average is of the unbiased estimate, what normalises is the biased one.
      double unbiased = count / Math.max(1.0, count - 1.0);
      mean.copyFrom(mean.value().mul(1 - MOMENTUM).add(batchMean.mul(MOMENTUM)));
      variance.copyFrom(
          variance.value().mul(1 - MOMENTUM).add(batchVariance.mul(MOMENTUM * unbiased)));
    }
  }

  private Tensor normalise(Tensor x, Tensor center, Tensor spread) {
    Tensor scale = weight.value().div(spread.add(EPSILON).sqrt());
    return x.sub(center).mul(scale).add(bias.value());
  }
}
