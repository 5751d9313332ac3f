package dev.jformer.kernels;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Arrays of a thread that a piece of a matrix is copied to before it is used. Copying runs as fast
 * as memory can be read, and vectors are loaded from arrays in all releases of Java, without
 * checks; from native memory they are not.
 */
final class Scratch {
  private static final ThreadLocal<Scratch> OF_THREAD = ThreadLocal.withInitial(Scratch::new);

  private byte[] bytes = {};
  private float[] floats = {};
  private float[] otherFloats = {};

  private Scratch() {}

  static Scratch ofThread() {
    return OF_THREAD.get();
  }

  /** An array of at least so many bytes. */
  byte[] bytes(int count) {
    if (bytes.length < count) {
      bytes = new byte[count];
    }
    return bytes;
  }

  /** Copies bytes. */
  byte[] copied(ByteBuffer from, int at, int count) {
    from.get(at, bytes(count), 0, count);
    return bytes;
  }

  /** Copies floats. */
  float[] copied(FloatBuffer from, int at, int count) {
    if (floats.length < count) {
      floats = new float[count];
    }
    from.get(at, floats, 0, count);
    return floats;
  }

  /** Copies floats into another array. */
  float[] copiedToo(FloatBuffer from, int at, int count) {
    if (otherFloats.length < count) {
      otherFloats = new float[count];
    }
    from.get(at, otherFloats, 0, count);
    return otherFloats;
  }
}
