package dev.jformer.decode;

import java.util.Arrays;
import java.util.BitSet;

/** A growing list of token ids. */
final class IntList {
  private final BitSet seen = new BitSet();
  private int[] values;
  private int size;

  IntList(int... start) {
    this.values = Arrays.copyOf(start, Math.max(16, start.length * 2));
    this.size = start.length;
    Arrays.stream(start).forEach(seen::set);
  }

  void add(int id) {
    if (size == values.length) {
      values = Arrays.copyOf(values, 2 * size);
    }
    values[size++] = id;
    seen.set(id);
  }

  int get(int index) {
    return values[index];
  }

  int size() {
    return size;
  }

  /** Copies the ids from {@code start} on. */
  int[] from(int start) {
    return Arrays.copyOfRange(values, start, size);
  }

  /** The set of ids in the list. */
  BitSet seen() {
    return seen;
  }
}
