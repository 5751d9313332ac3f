package dev.jformer.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Measures the memory of this process. Works on Linux only. */
public final class Memory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");

  /** The most samples of the resident memory until it has settled, and how many must be stable. */
  private static final int SAMPLES = 40;

  private static final int STABLE_SAMPLES = 6;

  private Memory() {}

  /** Bytes of memory resident now; -1 if unknown. */
  public static long resident() {
    return status("VmRSS:");
  }

  /**
   * Runs {@code body} and returns its peak memory: the most bytes resident while it ran, beyond
   * those resident before it; -1 if unknown. Memory freed earlier is returned to the system first,
   * so that it is not counted as memory that {@code body} needs.
   */
  public static long peakOf(Runnable body) {
    Engine.start();
    System.gc();
    Allocator.giveBack();
    long before = settled();
    boolean known = resetPeak();
    body.run();
    return known && before >= 0 ? Math.max(0, status("VmHWM:") - before) : -1;
  }

  /**
   * Waits until the Java heap has returned what the collector freed, and returns the resident
   * bytes. G1 begins to return memory 100 ms after a collection, so the size must have been stable
   * for longer than that.
   */
  private static long settled() {
    long last = resident();
    int stable = 0;
    for (int i = 0; i < SAMPLES && stable < STABLE_SAMPLES; i++) {
      try {
        Thread.sleep(25);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return last;
      }
      long now = resident();
      stable = last - now < 1 << 20 ? stable + 1 : 0;
      last = now;
    }
    return last;
  }

  private static boolean resetPeak() {
    try {
      Files.writeString(CLEAR, "5");
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static long status(String field) {
    try {
      for (String line : Files.readAllLines(STATUS)) {
        if (line.startsWith(field)) {
          return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
      }
    } catch (IOException e) {
      return -1;
    }
    return -1;
  }
}
