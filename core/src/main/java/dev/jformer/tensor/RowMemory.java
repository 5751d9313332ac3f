package dev.jformer.tensor;

import org.bytedeco.javacpp.FloatPointer;

/**
 * Native memory in which a thread hands a few rows of floats to a kernel and takes the result back.
 * It grows to what the largest product needs; what is in it matters to one call only.
 */
final class RowMemory {
  private static final ThreadLocal<RowMemory> OF_THREAD = ThreadLocal.withInitial(RowMemory::new);

  private FloatPointer input = new FloatPointer();
  private FloatPointer output = new FloatPointer();
  private float[] array = {};

  private RowMemory() {}

  /** The memory of this thread. */
  static RowMemory ofThread() {
    return OF_THREAD.get();
  }

  /** Memory for a number of floats that a kernel reads; the values in it are arbitrary. */
  FloatPointer input(int floats) {
    input = grown(input, floats);
    return input;
  }

  /** Memory for a number of floats that a kernel writes; the values in it are arbitrary. */
  FloatPointer output(int floats) {
    output = grown(output, floats);
    return output;
  }

  /** An array of at least so many floats; the values in it are arbitrary. */
  float[] array(int floats) {
    if (array.length < floats) {
      array = new float[Math.max(floats, 2 * array.length)];
    }
    return array;
  }

  private static FloatPointer grown(FloatPointer memory, int floats) {
    if (!memory.isNull() && memory.capacity() >= floats) {
      return memory;
    }
    long size = Math.max(floats, memory.isNull() ? 0 : 2 * memory.capacity());
    memory.close();
    // It belongs to the thread rather than to a scope that happens to be open.
    return new FloatPointer(size).retainReference();
  }
}
