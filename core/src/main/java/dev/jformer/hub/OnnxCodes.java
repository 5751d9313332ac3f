package dev.jformer.hub;

import dev.jformer.io.FormatException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.IntegerBlocks;
import dev.jformer.tensor.Tensor;

/**
 * A matrix of 8-bit integers in an ONNX file: a value is {@code scale * (integer - zero)}, with one
 * scale and zero for the matrix, or for each of its columns.
 *
 * @param integers int8 or uint8, a matrix
 * @param scale float32
 * @param zero of the type of the integers; null for 0
 */
record OnnxCodes(OnnxTensor integers, OnnxTensor scale, OnnxTensor zero) {
  private static final int MIDDLE = 128;

  /**
   * Checks types and sizes.
   *
   * @throws FormatException if they do not fit together
   */
  OnnxCodes {
    DType type = integers.dtype();
    if ((type != DType.INT8 && type != DType.UINT8) || integers.shape().rank() != 2) {
      throw wrong(integers, "a matrix of 8-bit integers");
    }
    if (scale.dtype() != DType.FLOAT32 || !fits(integers, scale)) {
      throw wrong(scale, "one float32 scale for the matrix or for each column");
    }
    if (zero != null && (zero.dtype() != type || !fits(integers, zero))) {
      throw wrong(zero, "a zero of type " + type + " for the matrix or for each column");
    }
  }

  private static boolean fits(OnnxTensor matrix, OnnxTensor values) {
    long count = values.shape().elements();
    return count == 1 || (count == matrix.shape().size(1) && values.shape().rank() == 1);
  }

  private static FormatException wrong(OnnxTensor tensor, String expected) {
    return new FormatException(
        tensor.file()
            + ": the tensor "
            + FormatException.oneLine(tensor.name())
            + " is "
            + tensor.dtype()
            + tensor.shape()
            + ": expected "
            + expected);
  }

  /** The values, float32 of the matrix's shape. */
  Tensor values() {
    Tensor values = integers.load().to(DType.FLOAT32);
    if (zero != null) {
      values = values.sub(zero.load().to(DType.FLOAT32).reshape(-1));
    }
    return values.mul(scales().reshape(-1));
  }

  private Tensor scales() {
    Tensor scales = scale.load();
    if (!scales.isFinite().all()) {
      throw wrong(scale, "finite numbers, but it holds others");
    }
    return scales;
  }

  /** The columns, as rows of one block each. */
  IntegerBlocks columns() {
    return blocks(integers.load().t(), integers.shape().size(1));
  }

  /** The rows, of one block each; the matrix must be {@linkplain #isUniform uniform}. */
  IntegerBlocks rows() {
    return blocks(integers.load(), integers.shape().size(0));
  }

  /** Whether rows have a scale, since all values have the same. */
  boolean isUniform() {
    return scale.shape().elements() == 1 && (zero == null || zero.shape().elements() == 1);
  }

  private IntegerBlocks blocks(Tensor matrix, long count) {
    boolean unsigned = integers.dtype() == DType.UINT8;
    Tensor signed =
        unsigned ? matrix.contiguous().add((long) MIDDLE).viewAs(DType.INT8) : matrix.contiguous();
    Tensor scales = scales().reshape(-1, 1).expand(count, 1).contiguous();
    Tensor shift = zero == null ? Tensor.zeros(1, 1) : zero.load().to(DType.FLOAT32).reshape(-1, 1);
    Tensor zeros = unsigned ? shift.sub((double) MIDDLE) : shift; // of the signed integers
    boolean symmetric = zeros.eq(0.0).all();
    return new IntegerBlocks(
        signed, scales, symmetric ? null : scales.mul(zeros.expand(count, 1)).neg().contiguous());
  }
}
