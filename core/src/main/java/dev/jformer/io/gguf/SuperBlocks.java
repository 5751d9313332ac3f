package dev.jformer.io.gguf;

import static dev.jformer.io.gguf.BlockDecoder.half;

import java.nio.ByteBuffer;

/**
 * Super-blocks of 256 values (the "k-quants"): small blocks whose scales are integers themselves,
 * multiplied by a 16-bit scale that they share.
 */
final class SuperBlocks {
  /** The values of a block. */
  private static final int SUPER = 256;

  static final BlockDecoder Q2_K = SuperBlocks::two;
  static final BlockDecoder Q3_K = SuperBlocks::three;
  static final BlockDecoder Q4_K = SuperBlocks::four;
  static final BlockDecoder Q5_K = SuperBlocks::five;
  static final BlockDecoder Q6_K = SuperBlocks::six;

  private SuperBlocks() {}

  /** 16 bytes of scales and offsets, 64 of values, a scale and an offset for all. */
  private static void two(ByteBuffer in, int at, DecodedBlocks out, int number) {
    float scale = half(in, at + 80);
    float offset = half(in, at + 82);
    for (int block = 0; block < 16; block++) {
      int both = in.get(at + block);
      out.scales()[16 * number + block] = scale * (both & 15);
      out.offsets()[16 * number + block] = -(offset * ((both >> 4) & 15));
      int codes = at + 16 + codesOf(block);
      int shift = shiftOf(block);
      int to = SUPER * number + 16 * block;
      for (int i = 0; i < 16; i++) {
        out.integers()[to + i] = (byte) ((in.get(codes + i) >> shift) & 3);
      }
    }
  }

  /** 32 bytes of high bits, 64 of low ones, 12 of scales, and a scale for all. */
  private static void three(ByteBuffer in, int at, DecodedBlocks out, int number) {
    float scale = half(in, at + 108);
    for (int block = 0; block < 16; block++) {
      out.scales()[16 * number + block] = scale * (scaleOfThree(in, at + 96, block) - 32);
      int codes = at + 32 + codesOf(block);
      int high = at + 16 * (block % 2);
      int shift = shiftOf(block);
      int bit = block / 2;
      int to = SUPER * number + 16 * block;
      for (int i = 0; i < 16; i++) {
        int code = (in.get(codes + i) >> shift) & 3;
        int less = ((in.get(high + i) >> bit) & 1) == 0 ? 4 : 0;
        out.integers()[to + i] = (byte) (code - less);
      }
    }
  }

  /** Where the bytes of a block of 16 two-bit values begin: four blocks share each byte. */
  private static int codesOf(int block) {
    return 32 * (block / 8) + 16 * (block % 2);
  }

  private static int shiftOf(int block) {
    return 2 * (block % 8 / 2);
  }

  /** A 6-bit scale: its four low bits stand in 8 bytes, its two high ones in the next 4. */
  private static int scaleOfThree(ByteBuffer in, int at, int block) {
    int low = in.get(at + block % 8) >> (block < 8 ? 0 : 4);
    int high = in.get(at + 8 + block % 4) >> (2 * (block / 4));
    return (low & 15) | (high & 3) << 4;
  }

  /** Two 16-bit scales, 12 bytes of 6-bit ones, 128 bytes of values. */
  private static void four(ByteBuffer in, int at, DecodedBlocks out, int number) {
    for (int block = 0; block < 8; block++) {
      out.scales()[8 * number + block] = half(in, at) * scale(in, at + 4, block);
      out.offsets()[8 * number + block] = -(half(in, at + 2) * offset(in, at + 4, block));
      int codes = at + 16 + 32 * (block / 2);
      int shift = 4 * (block % 2);
      int to = SUPER * number + 32 * block;
      for (int i = 0; i < 32; i++) {
        out.integers()[to + i] = (byte) ((in.get(codes + i) >> shift) & 15);
      }
    }
  }

  /** The same with a fifth bit of each value, in 32 bytes before the others. */
  private static void five(ByteBuffer in, int at, DecodedBlocks out, int number) {
    for (int block = 0; block < 8; block++) {
      out.scales()[8 * number + block] = half(in, at) * scale(in, at + 4, block);
      out.offsets()[8 * number + block] = -(half(in, at + 2) * offset(in, at + 4, block));
      int codes = at + 48 + 32 * (block / 2);
      int shift = 4 * (block % 2);
      int to = SUPER * number + 32 * block;
      for (int i = 0; i < 32; i++) {
        int high = ((in.get(at + 16 + i) >> block) & 1) << 4;
        out.integers()[to + i] = (byte) (((in.get(codes + i) >> shift) & 15) | high);
      }
    }
  }

  /** The scale of one of 8 blocks: those of the last four are split. */
  private static int scale(ByteBuffer in, int at, int block) {
    return block < 4
        ? in.get(at + block) & 63
        : (in.get(at + block + 4) & 15) | ((in.get(at + block - 4) >> 6) & 3) << 4;
  }

  private static int offset(ByteBuffer in, int at, int block) {
    return block < 4
        ? in.get(at + block + 4) & 63
        : ((in.get(at + block + 4) >> 4) & 15) | ((in.get(at + block) >> 6) & 3) << 4;
  }

  /** 128 bytes of low halves, 64 of high bits, 16 scales of 8 bits, and a scale for all. */
  private static void six(ByteBuffer in, int at, DecodedBlocks out, int number) {
    float scale = half(in, at + 208);
    for (int block = 0; block < 8; block++) { // of 32 values, with two scales
      int quarter = block % 4;
      int low = at + 64 * (block / 4) + 32 * (quarter % 2);
      int high = at + 128 + 32 * (block / 4);
      int to = SUPER * number + 32 * block;
      for (int half = 0; half < 2; half++) {
        int part = 2 * block + half;
        out.scales()[16 * number + part] = scale * in.get(at + 192 + part);
      }
      for (int i = 0; i < 32; i++) {
        int code = (in.get(low + i) >> (4 * (quarter / 2))) & 15;
        int bits = (in.get(high + i) >> (2 * quarter)) & 3;
        out.integers()[to + i] = (byte) ((code | bits << 4) - 32);
      }
    }
  }
}
