package dev.jformer.nn;

import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * Group normalisation of the channels of images (<a href="https://arxiv.org/abs/1803.08494">Group
 * Normalization</a>): [B, C, H, W] to the same shape. That of tokens is {@link
 * Norm.GroupNormConfig}.
 */
public final class GroupNorm extends Layer {
  private static final double EPSILON = 1e-5;

  private final int groups;
  private final Parameter weight;
  private final Parameter bias;

  /**
   * Creates a layer.
   *
   * @param groups number of groups
   * @param channels C, a multiple of the number of groups
   */
  public GroupNorm(int groups, long channels) {
    this.groups = groups;
    this.weight = parameter("weight", Tensor.ones(channels));
    this.bias = parameter("bias", Tensor.zeros(channels));
  }

  @Override
  public Tensor forward(Tensor x) {
    return Functional.groupNorm(x, groups, weight.value(), bias.value(), EPSILON);
  }
}
