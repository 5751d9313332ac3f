package dev.jformer.io.gguf;

import java.nio.ByteBuffer;

/** Turns floats into the bytes of a type. */
@FunctionalInterface
interface BlockEncoder {
  /**
   * Encodes a block.
   *
   * @param values holds its values
   * @param from the index of the first
   * @param out little-endian; the block is appended
   */
  void encode(float[] values, int from, ByteBuffer out);

  /** 32-bit floats. */
  BlockEncoder F32 = (values, from, out) -> out.putFloat(values[from]);

  /** 16-bit floats. */
  BlockEncoder F16 = (values, from, out) -> out.putShort(Half.of(values[from]));

  /** A scale, by which the largest value becomes 127, and 32 values rounded to the nearest. */
  BlockEncoder Q8_0 =
      (values, from, out) -> {
        float largest = 0;
        for (int i = from; i < from + 32; i++) {
          largest = Math.max(largest, Math.abs(values[i]));
        }
        float scale = largest / 127;
        float factor = scale == 0 ? 0 : 1 / scale;
        out.putShort(Half.of(scale));
        for (int i = from; i < from + 32; i++) {
          float value = values[i] * factor;
          out.put((byte) (value < 0 ? Math.ceil(value - 0.5f) : Math.floor(value + 0.5f)));
        }
      };

  /**
   * The encoder of a type.
   *
   * @throws IllegalArgumentException if values cannot be stored in it
   */
  static BlockEncoder of(GgufType type) {
    return switch (type) {
      case F32 -> F32;
      case F16 -> F16;
      case Q8_0 -> Q8_0;
      default ->
          throw new IllegalArgumentException(
              "type is " + type + ": expected F32, F16 or Q8_0, which can be written");
    };
  }
}
