package dev.jformer.io.gguf;

import java.nio.ByteBuffer;

/** Takes a block of a quantized type apart. */
@FunctionalInterface
interface BlockDecoder {
  /**
   * Decodes a block.
   *
   * @param in little-endian bytes
   * @param at where the block begins
   * @param out where its values go
   * @param number of the block in {@code out}
   */
  void decode(ByteBuffer in, int at, DecodedBlocks out, int number);

  /** The float32 of a 16-bit float. */
  static float half(ByteBuffer in, int at) {
    return Half.toFloat(in.getShort(at));
  }
}
