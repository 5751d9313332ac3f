package dev.jformer.nn.kan;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Tensor;

/**
 * A learned rational activation, [..., D] to [..., D], of the <a
 * href="https://arxiv.org/abs/2409.10594">Kolmogorov-Arnold Transformer</a>. It is {@code P(x) / (1
 * + |Q(x)|)}, one function for each group of neighbouring channels, with P shared by all groups.
 *
 * <p>This is the paper's formula. The authors' code takes the absolute value of each term of Q
 * separately, but fits the initial coefficients by the paper's formula; here the paper's formula is
 * used throughout. The coefficients are stored as vectors, to which weight decay does not apply.
 */
public final class GroupRational extends Layer {
  private final int groups;
  private final Parameter numerator;
  private final Parameter denominator;

  /**
   * Creates a layer.
   *
   * @param width D
   * @param groups number of groups, a divisor of D
   * @param start the initial function of all groups
   */
  public GroupRational(int width, int groups, RationalFunction start) {
    if (groups < 1 || width % groups != 0) {
      throw new IllegalArgumentException(
          "groups is " + groups + ": expected a divisor of the width " + width);
    }
    this.groups = groups;
    this.numerator = parameter("numerator", floats(start.numerator(), 1));
    this.denominator = parameter("denominator", floats(start.denominator(), groups));
  }

  private static Tensor floats(double[] values, int times) {
    float[] all = new float[values.length * times];
    for (int i = 0; i < all.length; i++) {
      all[i] = (float) values[i % values.length];
    }
    return Tensor.of(all);
  }

  @Override
  public Tensor forward(Tensor x) {
    Tensor q = denominator.value().view(groups, RationalFunction.DENOMINATOR);
    Tensor real = x.dtype().equals(numerator.value().dtype()) ? x : x.to(numerator.value().dtype());
    return Functional.rational(real, numerator.value(), q);
  }
}
