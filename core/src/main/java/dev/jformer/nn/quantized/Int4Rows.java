package dev.jformer.nn.quantized;

import dev.jformer.nn.Parameter;
import dev.jformer.nn.internal.Int8Rows;
import dev.jformer.tensor.Autograd;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Int4;
import dev.jformer.tensor.Mode;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;

/**
 * A matrix of 4-bit integers. Groups of adjacent values in a row share a scale and an offset, so
 * that the integers cover the range from a group's smallest value to its largest; each value is
 * rounded to the nearest.
 *
 * <p>A row is padded with zeros to whole groups: K' values, of which the first K count.
 *
 * @param width K
 * @param codes uint8 [N, K' / 2], two values a byte: the even one in the lower half
 * @param scales bf16 [N, K' / group, 2]: the step, and the value of the integer 8
 */
record Int4Rows(long width, Parameter codes, Parameter scales) {
  private static final int HIGHEST = 15;
  private static final int HALF = 16;

  /** Creates a matrix of zeros. */
  static Int4Rows zeros(long rows, long width, int group) {
    long groups = (width + group - 1) / group;
    return new Int4Rows(
        width,
        Parameter.buffer(Tensor.zeros(DType.UINT8, rows, groups * group / 2)),
        Parameter.buffer(Tensor.zeros(DType.BFLOAT16, rows, groups, 2)));
  }

  private long groups() {
    return scales.value().size(1);
  }

  /** Number of values that share a scale. */
  long group() {
    return 2 * codes.value().size(1) / groups();
  }

  /** Rounds a matrix [N, K]. */
  void quantize(Tensor matrix) {
    try (Scope scope = Scope.open();
        Mode mode = Autograd.noGrad()) {
      Tensor whole = padded(Int8Rows.finite(matrix).to(DType.FLOAT32));
      Tensor grouped = whole.unflatten(1, groups(), group());
      Tensor low = grouped.min(2, true);
      Tensor step = grouped.max(2, true).sub(low).mul(1.0 / HIGHEST);
      Tensor middle = low.add(step, Int4.MIDDLE);
      scales.copyFrom(Tensor.cat(2, step, middle));
      // Scales as they are stored, so that codes fit the scales they will be multiplied with.
      Tensor kept = scales.value().to(DType.FLOAT32);
      Tensor keptStep = kept.narrow(2, 0, 1);
      Tensor divisor = keptStep.where(keptStep.gt(0), Tensor.ones(1));
      Tensor rounded =
          grouped
              .sub(kept.narrow(2, 1, 1))
              .div(divisor)
              .round()
              .add(Int4.MIDDLE)
              .clamp(0, HIGHEST)
              .flatten(1, 2)
              .unflatten(1, -1, 2);
      codes.copyFrom(rounded.select(2, 0).add(rounded.select(2, 1), HALF));
    }
  }

  /** Unpacks the codes of rows, int32 [..., K], from their bytes [..., K / 2]. */
  static Tensor unpacked(Tensor bytes) {
    Tensor whole = bytes.to(DType.INT32);
    Tensor upper = whole.floorDiv(HALF);
    Tensor lower = whole.sub(upper.mul((long) HALF));
    int last = bytes.rank();
    return Tensor.stack(last, lower, upper).flatten(last - 1, last);
  }

  /** Pads values [M, K] with zeros: [M, K']. */
  Tensor padded(Tensor x) {
    long padding = groups() * group() - width;
    return padding == 0 ? x : Functional.pad(x, 0, 0, padding);
  }

  /** The values of some rows, float32 [R, K]. */
  private Tensor values(Tensor bytes, Tensor scales) {
    Tensor kept = scales.to(DType.FLOAT32);
    Tensor whole = unpacked(bytes).to(DType.FLOAT32).unflatten(1, kept.size(1), -1);
    return whole
        .sub((double) Int4.MIDDLE)
        .mul(kept.narrow(2, 0, 1))
        .add(kept.narrow(2, 1, 1))
        .flatten(1, 2)
        .narrow(1, 0, width);
  }

  /** The values of rows by their indices, int64 [R]: float32 [R, K]. */
  Tensor values(Tensor ids) {
    return values(codes.value().indexSelect(0, ids), scales.value().indexSelect(0, ids));
  }

  Tensor dequantized() {
    return values(codes.value(), scales.value());
  }

  Int4 packed() {
    try (Scope scope = Scope.open()) {
      return new Int4(unpacked(codes.value()), scales.value(), group(), width);
    }
  }
}
