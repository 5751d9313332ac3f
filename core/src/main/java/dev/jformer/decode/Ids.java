package dev.jformer.decode;

import java.util.Arrays;

/** A growing list of token ids. */
final class Ids {
  private int[] values;
  private int size;

  Ids(int[] start) {
    this.values = Arrays.copyOf(start, Math.max(16, start.length * 2));
    this.size = start.length;
  }

  void add(int id) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = id;
  }

  int get(int index) {
    return values[index];
  }

  int size() {
    return size;
  }

  /** The ids from {@code start} on. */
  int[] from(int start) {
    return Arrays.copyOfRange(values, start, size);
  }

  /** Every id that occurs, once. */
  long[] distinct() {
    return Arrays.stream(values, 0, size).distinct().asLongStream().toArray();
  }
}
