package dev.jformer.io.gguf;

import static dev.jformer.io.gguf.BlockDecoder.half;

import java.nio.ByteBuffer;

/**
 * Blocks of 32 values: a 16-bit scale, for some types a 16-bit smallest value, and integers. Byte i
 * of the 4-bit parts holds value i in its lower half and value i + 16 in its upper half.
 */
final class LinearBlocks {
  private static final int HALF = 16;

  static final BlockDecoder Q4_0 =
      (in, at, out, to) -> four(in, at + 2, half(in, at), -8, 0, out, to);
  static final BlockDecoder Q4_1 =
      (in, at, out, to) -> four(in, at + 4, half(in, at), 0, half(in, at + 2), out, to);
  static final BlockDecoder Q5_0 =
      (in, at, out, to) -> five(in, at + 2, half(in, at), -16, 0, out, to);
  static final BlockDecoder Q5_1 =
      (in, at, out, to) -> five(in, at + 4, half(in, at), 0, half(in, at + 2), out, to);
  static final BlockDecoder Q8_0 = LinearBlocks::eight;

  private LinearBlocks() {}

  /** 4-bit values: {@code (code + shift) * scale + low}. */
  private static void four(
      ByteBuffer in, int at, float scale, int shift, float low, float[] out, int to) {
    for (int i = 0; i < HALF; i++) {
      int pair = in.get(at + i);
      out[to + i] = ((pair & 15) + shift) * scale + low;
      out[to + i + HALF] = (((pair >> 4) & 15) + shift) * scale + low;
    }
  }

  /** 5-bit values, whose highest bits stand together in front. */
  private static void five(
      ByteBuffer in, int at, float scale, int shift, float low, float[] out, int to) {
    int highest = in.getInt(at);
    for (int i = 0; i < HALF; i++) {
      int pair = in.get(at + 4 + i);
      int first = (pair & 15) | ((highest >>> i) & 1) << 4;
      int second = ((pair >> 4) & 15) | ((highest >>> (i + HALF)) & 1) << 4;
      out[to + i] = (first + shift) * scale + low;
      out[to + i + HALF] = (second + shift) * scale + low;
    }
  }

  private static void eight(ByteBuffer in, int at, float[] out, int to) {
    float scale = half(in, at);
    for (int i = 0; i < 2 * HALF; i++) {
      out[to + i] = in.get(at + 2 + i) * scale;
    }
  }
}
