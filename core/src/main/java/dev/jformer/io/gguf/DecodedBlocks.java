package dev.jformer.io.gguf;

/**
 * Integers of consecutive blocks of a type, and the scales and offsets that parts of a block share:
 * a value is {@code integer * scale + offset}.
 */
final class DecodedBlocks {
  private final int part;
  private final byte[] integers;
  private final float[] scales;
  private final float[] offsets;

  /** Makes room for so many values of a type. */
  DecodedBlocks(GgufType type, int values) {
    part = type.partValues();
    integers = new byte[values];
    scales = new float[values / part];
    offsets = type.hasOffsets() ? new float[values / part] : null;
  }

  /** The integers of all blocks. */
  byte[] integers() {
    return integers;
  }

  /** The scales of all parts. */
  float[] scales() {
    return scales;
  }

  /** The offsets of all parts; null if the type has none. */
  float[] offsets() {
    return offsets;
  }

  /** Computes the first values. */
  void values(float[] out, int count) {
    for (int i = 0; i < count; i += part) {
      float scale = scales[i / part];
      float offset = offsets == null ? 0 : offsets[i / part];
      for (int j = i; j < i + part; j++) {
        out[j] = integers[j] * scale + offset;
      }
    }
  }
}
