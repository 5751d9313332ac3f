package dev.jformer.tensor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory this process holds. Known on Linux only. */
public final class Memory {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final Path CLEAR = Path.of("/proc/self/clear_refs");

  /** How often is looked, at most, whether memory is still given back, and how often it is not. */
  private static final int LOOKS = 40;

  private static final int QUIET_LOOKS = 6;

  private Memory() {}

  /** Bytes of memory resident now; -1 if unknown. */
  public static long resident() {
    return status("VmRSS:");
  }

  /**
   * The most bytes that were resident while {@code body} ran, beyond what was resident before it;
   * -1 if unknown. Memory that was freed before is given back to the system first, so that it is
   * not taken for memory that {@code body} needs.
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
   * Bytes resident once the Java heap has given back what the collector freed: G1 begins to do so
   * 100 ms after a collection, so that long nothing must have been given back.
   */
  private static long settled() {
    long last = resident();
    int quiet = 0;
    for (int i = 0; i < LOOKS && quiet < QUIET_LOOKS; i++) {
      try {
        Thread.sleep(25);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return last;
      }
      long now = resident();
      quiet = last - now < 1 << 20 ? quiet + 1 : 0;
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
