package dev.jformer.data.image;

import dev.jformer.data.DataException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** Heap for images that are decoded at one time: half of what Java may take, for all threads. */
final class DecodingMemory {
  private static final long UNIT = 1 << 20;
  private static final int ALL =
      (int) Math.min(Integer.MAX_VALUE, Runtime.getRuntime().maxMemory() / 2 / UNIT);
  private static final Semaphore FREE = new Semaphore(ALL, true);

  private DecodingMemory() {}

  /** The most bytes that an image may need. */
  static long bytes() {
    return ALL * UNIT;
  }

  /**
   * Runs an action when so many bytes are free.
   *
   * @throws DataException if there are never so many
   */
  static <T> T with(String name, long bytes, Supplier<T> action) {
    if (bytes > bytes()) {
      throw new DataException(
          "%s needs %,d MB of memory to be decoded, expected at most %,d: scale it down, or give Java"
                  .formatted(name, bytes / UNIT, ALL)
              + " more memory with JAVA_TOOL_OPTIONS=-Xmx"
              + (2 * bytes / UNIT / 1024 + 1)
              + "g");
    }
    int units = (int) (bytes / UNIT) + (bytes % UNIT == 0 ? 0 : 1);
    FREE.acquireUninterruptibly(units);
    try {
      return action.get();
    } finally {
      FREE.release(units);
    }
  }
}
