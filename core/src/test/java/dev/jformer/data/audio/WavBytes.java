package dev.jformer.data.audio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Makes WAV files by their specification. */
final class WavBytes {
  private WavBytes() {}

  /** A file of integers, by the number of bits of each and of channels. */
  static byte[] of(int rate, int channels, int bits, long... values) {
    int size = bits / 8;
    ByteBuffer wav = ByteBuffer.allocate(44 + values.length * size).order(ByteOrder.LITTLE_ENDIAN);
    wav.put("RIFF".getBytes(StandardCharsets.US_ASCII)).putInt(36 + values.length * size);
    wav.put("WAVEfmt ".getBytes(StandardCharsets.US_ASCII)).putInt(16).putShort((short) 1);
    wav.putShort((short) channels).putInt(rate).putInt(rate * channels * size);
    wav.putShort((short) (channels * size)).putShort((short) bits);
    wav.put("data".getBytes(StandardCharsets.US_ASCII)).putInt(values.length * size);
    for (long value : values) {
      for (int k = 0; k < size; k++) {
        wav.put((byte) (value >> (8 * k)));
      }
    }
    return wav.array();
  }
}
