package dev.jformer.io.gguf;

import java.nio.ByteBuffer;

/** Turns a block of quantized values into floats. */
@FunctionalInterface
interface BlockDecoder {
  /**
   * Decodes a block.
   *
   * @param in little-endian bytes
   * @param at where the block begins
   * @param out where its values go
   * @param to the index of the first value
   */
  void decode(ByteBuffer in, int at, float[] out, int to);

  /** The float32 of a 16-bit float. */
  static float half(ByteBuffer in, int at) {
    return Half.toFloat(in.getShort(at));
  }
}
