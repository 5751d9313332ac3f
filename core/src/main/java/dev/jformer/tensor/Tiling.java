package dev.jformer.tensor;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.function.IntFunction;

/**
 * A partition of the float32 elements of a tensor [..., D] for loops over arrays. The elements form
 * rows that hold a whole number of tokens; columns are cut into strips that fit the processor's
 * cache; rows are shared out to the lanes of {@link WorkerPool}.
 */
final class Tiling {
  private static final int LENGTH = 1024;
  private static final int SMALLEST_SHARE = 1 << 14;

  private final long elements;
  private final int width;
  private final int length;

  /**
   * Creates the partition of a tensor.
   *
   * @param elements of the tensor, a multiple of D, at most {@link Integer#MAX_VALUE}
   * @param channels D
   */
  Tiling(long elements, int channels) {
    this.elements = elements;
    this.width = channels * Math.max(1, LENGTH / channels);
    int strips = (width + LENGTH - 1) / LENGTH;
    this.length = (width + strips - 1) / strips;
  }

  /** Number of strips. */
  int count() {
    return (width + length - 1) / length;
  }

  /** Number of columns of a strip. */
  int length(int strip) {
    return Math.min(length, width - strip * length);
  }

  /** The first column of a strip; column c belongs to channel c modulo D. */
  int column(int strip) {
    return strip * length;
  }

  private long rows() {
    return (elements + width - 1) / width;
  }

  /** Reads a strip's part of a row; zeros beyond the end of the tensor. */
  void read(FloatBuffer from, long row, int strip, float[] into) {
    int count = count(row, strip);
    if (count > 0) {
      from.get((int) start(row, strip), into, 0, count);
    }
    if (count < into.length) {
      Arrays.fill(into, count, into.length, 0);
    }
  }

  /** Writes a strip's part of a row, up to the end of the tensor. */
  void write(FloatBuffer to, long row, int strip, float[] values) {
    int count = count(row, strip);
    if (count > 0) {
      to.put((int) start(row, strip), values, 0, count);
    }
  }

  private long start(long row, int strip) {
    return row * width + column(strip);
  }

  private int count(long row, int strip) {
    return (int) Math.max(0, Math.min(length(strip), elements - start(row, strip)));
  }

  /** Work on the rows {@code from} to {@code to}, exclusive, of a strip. */
  @FunctionalInterface
  interface Work {
    void run(int strip, long from, long to);
  }

  /** Number of lanes that {@link #share} uses. */
  int lanes() {
    return elements < 2 * SMALLEST_SHARE || Engine.threads() == 1 ? 1 : WorkerPool.shared().count();
  }

  /** Processes all strips: each lane takes its part of the rows, with a work object of its own. */
  void share(IntFunction<Work> work) {
    int lanes = lanes();
    if (lanes == 1) {
      run(work.apply(0), 0, rows());
      return;
    }
    WorkerPool.shared()
        .run(lane -> run(work.apply(lane), rows() * lane / lanes, rows() * (lane + 1) / lanes));
  }

  private void run(Work work, long from, long to) {
    for (int strip = 0; strip < count(); strip++) {
      work.run(strip, from, to);
    }
  }
}
