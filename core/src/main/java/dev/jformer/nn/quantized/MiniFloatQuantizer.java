package dev.jformer.nn.quantized;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;

/**
 * Rounds numbers to those of a {@link MiniFloat} (arXiv 2310.16836).
 *
 * @param format E and M
 * @param step the smallest number, {@code 2^(1-M-b)} where b is the exponent's bias: float32, of a
 *     shape that broadcasts to what is rounded. One for a whole layer has the shape [1], one for
 *     each channel of an activation [..., D] the shape [D], one for each row of a weight [out, in]
 *     the shape [out, 1].
 */
public record MiniFloatQuantizer(MiniFloat format, Tensor step) {
  /** The nearest numbers: x of any shape, float32, to as many. */
  public Tensor round(Tensor x) {
    return inSteps(x).mul(step);
  }

  /** The nearest numbers, counted in steps. */
  public Tensor inSteps(Tensor x) {
    return format.round(x.div(step));
  }

  /**
   * One whose exponents have larger biases.
   *
   * @param shifts how much larger: integers from 0 to 126, of a shape that broadcasts with the
   *     step's
   */
  public MiniFloatQuantizer shifted(Tensor shifts) {
    Tensor k = shifts.to(DType.INT32);
    return new MiniFloatQuantizer(format, step.mul(MiniFloat.powersOfTwo(k.neg())));
  }
}
