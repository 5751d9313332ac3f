package dev.jformer.model.program;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Chooses one of several things by learned logits. In training a choice is a sample of the
 * Gumbel-softmax distribution (<a href="https://arxiv.org/abs/1611.01144">Categorical
 * Reparameterization with Gumbel-Softmax</a>), close to one-hot if the temperature is low; else it
 * is the best one, exactly.
 */
final class Choices {
  /** Keeps logarithms of uniform numbers finite. */
  private static final double SMALLEST = 1e-10;

  private double temperature = 1;
  private boolean hard;

  void temperature(double now) {
    temperature = now;
  }

  double temperature() {
    return temperature;
  }

  /** Whether choices are made, as in inference. */
  void hard(boolean now) {
    hard = now;
  }

  /** The weights of the things that the last dimension counts; they sum to 1. */
  Tensor of(Tensor logits) {
    return of(logits, logits.rank() - 1);
  }

  /** The weights of the things that a dimension counts; they sum to 1. */
  Tensor of(Tensor logits, int dim) {
    if (hard) {
      return logits
          .zerosLike()
          .scatter(dim, logits.argmax(dim).unsqueeze(dim), 1)
          .to(DType.FLOAT32);
    }
    Tensor gumbel =
        Tensor.rand(logits.shape().toArray()).clamp(SMALLEST, 1 - 1e-7).log().neg().log();
    return logits.sub(gumbel).mul(1 / temperature).softmax(dim);
  }
}
