package dev.jformer.io;

import dev.jformer.tensor.DType;
import java.util.Arrays;

/**
 * An element type as safetensors spells it. The order is that of the reference implementation,
 * which lays tensors out from the last type to the first: the wide ones come first, so that every
 * tensor starts at a multiple of its element size.
 */
enum StoredType {
  BOOL(DType.BOOL),
  U8(DType.UINT8),
  I8(DType.INT8),
  I16(DType.INT16),
  U16(DType.UINT16),
  F16(DType.FLOAT16),
  BF16(DType.BFLOAT16),
  I32(DType.INT32),
  F32(DType.FLOAT32),
  F64(DType.FLOAT64),
  I64(DType.INT64);

  private final DType dtype;

  StoredType(DType dtype) {
    this.dtype = dtype;
  }

  DType dtype() {
    return dtype;
  }

  static StoredType of(DType dtype) {
    for (StoredType type : values()) {
      if (type.dtype == dtype) {
        return type;
      }
    }
    throw new IllegalArgumentException("element type " + dtype + " cannot be stored");
  }

  static StoredType parse(String name) {
    for (StoredType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    throw new FormatException(
        "dtype "
            + FormatException.quote(name)
            + " is not supported: expected one of "
            + Arrays.toString(values()));
  }
}
