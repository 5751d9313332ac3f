package dev.jformer.tensor;

import org.bytedeco.pytorch.global.torch.ScalarType;

/** The element type of a tensor. */
public enum DType {
  FLOAT32(ScalarType.Float, 4, true),
  FLOAT64(ScalarType.Double, 8, true),
  BFLOAT16(ScalarType.BFloat16, 2, true),
  FLOAT16(ScalarType.Half, 2, true),
  INT64(ScalarType.Long, 8, false),
  INT32(ScalarType.Int, 4, false),
  INT16(ScalarType.Short, 2, false),
  INT8(ScalarType.Char, 1, false),
  UINT16(ScalarType.UInt16, 2, false),
  UINT8(ScalarType.Byte, 1, false),
  BOOL(ScalarType.Bool, 1, false);

  private final ScalarType scalarType;
  private final int bytes;
  private final boolean floating;

  DType(ScalarType scalarType, int bytes, boolean floating) {
    this.scalarType = scalarType;
    this.bytes = bytes;
    this.floating = floating;
  }

  /** Bytes per element. */
  public int bytes() {
    return bytes;
  }

  /** Whether this is a floating-point type, the only kind that carries gradients. */
  public boolean isFloating() {
    return floating;
  }

  ScalarType scalarType() {
    return scalarType;
  }

  static DType of(ScalarType scalarType) {
    for (DType dtype : values()) {
      if (dtype.scalarType.value == scalarType.value) {
        return dtype;
      }
    }
    throw new TensorException("element type " + scalarType + " is not supported");
  }
}
