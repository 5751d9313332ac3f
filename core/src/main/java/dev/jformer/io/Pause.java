package dev.jformer.io;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;

/** Waits for another process. */
final class Pause {
  private Pause() {}

  /**
   * Waits for a time.
   *
   * @throws InterruptedIOException if the thread is interrupted
   */
  static void of(Duration time) throws IOException {
    try {
      Thread.sleep(time.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted while another process writes");
    }
  }
}
