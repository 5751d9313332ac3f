package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Rounds numbers to those of a {@link MiniFloat} (<a
 * href="https://arxiv.org/abs/2310.16836">LLM-FP4: 4-Bit Floating-Point Quantized
 * Transformers</a>).
 *
 * @param format E and M
 * @param step the smallest number, {@code 2^(1-M-b)} where b is the exponent's bias: float32, of a
 *     shape that broadcasts to the tensor to round: [1] for a whole layer, [D] for each channel of
 *     an activation [..., D], [out, 1] for each row of a weight [out, in].
 */
public record MiniFloatQuantizer(MiniFloat format, Tensor step) {
  /** Rounds x, float32 of any shape, to the nearest numbers. */
  public Tensor round(Tensor x) {
    return inSteps(x).mul(step);
  }

  /** Rounds x to the nearest numbers, counted in steps. */
  public Tensor inSteps(Tensor x) {
    return format.round(x.div(step));
  }

  /**
   * A quantizer with larger exponent biases.
   *
   * @param shifts added to the biases: integers from 0 to 126, of a shape that broadcasts with the
   *     step's
   */
  public MiniFloatQuantizer shifted(Tensor shifts) {
    Tensor k = shifts.to(DType.INT32);
    return new MiniFloatQuantizer(format, step.mul(MiniFloat.powersOfTwo(k.neg())));
  }
}
