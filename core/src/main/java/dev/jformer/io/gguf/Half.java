package dev.jformer.io.gguf;

/** Converts 16-bit floats (IEEE 754 binary16), for which Java 17 has no methods. */
final class Half {
  private static final int EXPONENT = 0x7C00;
  private static final int FRACTION = 0x03FF;

  /** The value of the smallest step, 2<sup>-24</sup>. */
  private static final float STEP = 0x1p-24f;

  private Half() {}

  static float toFloat(short half) {
    int exponent = half & EXPONENT;
    int fraction = half & FRACTION;
    int sign = (half & 0x8000) << 16;
    if (exponent == 0) {
      return Float.intBitsToFloat(Float.floatToRawIntBits(fraction * STEP) | sign);
    }
    int wide = exponent == EXPONENT ? 0x7F800000 : (exponent << 13) + ((127 - 15) << 23);
    return Float.intBitsToFloat(sign | wide | fraction << 13);
  }

  /** The nearest 16-bit float; of two, the even one. */
  static short of(float value) {
    int bits = Float.floatToRawIntBits(value);
    int sign = (bits >>> 16) & 0x8000;
    float size = Math.abs(value);
    if (!(size < 65520)) { // infinite, too large, or no number
      return (short) (sign | EXPONENT | (Float.isNaN(value) ? 0x200 : 0));
    }
    if (size < 0x1p-14f) {
      return (short) (sign | (int) Math.rint(size / STEP));
    }
    int wide = Float.floatToRawIntBits(size) - ((127 - 15) << 23);
    int odd = (wide >>> 13) & 1;
    return (short) (sign | (wide + 0xFFF + odd) >>> 13);
  }
}
