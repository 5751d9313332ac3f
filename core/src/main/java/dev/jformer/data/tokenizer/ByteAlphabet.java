package dev.jformer.data.tokenizer;

/**
 * The characters that represent bytes in byte-level tokenizers, as in GPT-2: a printable byte is
 * represented by itself, the others by the characters from U+0100 on.
 */
final class ByteAlphabet {
  private static final char[] CHARACTERS = new char[256];
  private static final int[] BYTES = new int[512];

  static {
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable =
          (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      CHARACTERS[b] = (char) (printable ? b : next++);
    }
    for (int b = 0; b < 256; b++) {
      BYTES[CHARACTERS[b]] = b;
    }
  }

  private ByteAlphabet() {}

  /** The character that represents a byte, 0 … 255. */
  static char character(int b) {
    return CHARACTERS[b];
  }

  /** The byte that a character of the alphabet represents. */
  static int value(char character) {
    return BYTES[character];
  }

  /** The characters that represent bytes. */
  static String spell(byte[] bytes) {
    char[] spelled = new char[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      spelled[i] = CHARACTERS[bytes[i] & 0xFF];
    }
    return new String(spelled);
  }

  /** The bytes that a text represents; null if it has other characters than the alphabet's. */
  static byte[] bytes(String text) {
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = text.charAt(i);
      if (c >= BYTES.length || CHARACTERS[BYTES[c]] != c) {
        return null;
      }
      bytes[i] = (byte) BYTES[c];
    }
    return bytes;
  }
}
