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
      (in, at, out, number) -> {
        out.scales()[number] = half(in, at);
        four(in, at + 2, -8, out.integers(), 2 * HALF * number);
      };
  static final BlockDecoder Q4_1 =
      (in, at, out, number) -> {
        out.scales()[number] = half(in, at);
        out.offsets()[number] = half(in, at + 2);
        four(in, at + 4, 0, out.integers(), 2 * HALF * number);
      };
  static final BlockDecoder Q5_0 =
      (in, at, out, number) -> {
        out.scales()[number] = half(in, at);
        five(in, at + 2, -16, out.integers(), 2 * HALF * number);
      };
  static final BlockDecoder Q5_1 =
      (in, at, out, number) -> {
        out.scales()[number] = half(in, at);
        out.offsets()[number] = half(in, at + 2);
        five(in, at + 4, 0, out.integers(), 2 * HALF * number);
      };
  static final BlockDecoder Q8_0 =
      (in, at, out, number) -> {
        out.scales()[number] = half(in, at);
        in.get(at + 2, out.integers(), 2 * HALF * number, 2 * HALF);
      };

  private LinearBlocks() {}

  /** 4-bit values, shifted. */
  private static void four(ByteBuffer in, int at, int shift, byte[] out, int to) {
    for (int i = 0; i < HALF; i++) {
      int pair = in.get(at + i);
      out[to + i] = (byte) ((pair & 15) + shift);
      out[to + i + HALF] = (byte) (((pair >> 4) & 15) + shift);
    }
  }

  /** 5-bit values, whose highest bits stand together in front. */
  private static void five(ByteBuffer in, int at, int shift, byte[] out, int to) {
    int highest = in.getInt(at);
    for (int i = 0; i < HALF; i++) {
      int pair = in.get(at + 4 + i);
      int first = (pair & 15) | ((highest >>> i) & 1) << 4;
      int second = ((pair >> 4) & 15) | ((highest >>> (i + HALF)) & 1) << 4;
      out[to + i] = (byte) (first + shift);
      out[to + i + HALF] = (byte) (second + shift);
    }
  }
}
