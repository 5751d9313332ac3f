package dev.jformer.tensor;

import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerScope;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches tensors that are made outside of any {@link Scope}, and warns once if the memory of the
 * process grows meanwhile: such tensors live until the garbage collector finds them, which knows
 * nothing of their size.
 */
final class UnscopedTensors {
  private static final Logger LOG = LoggerFactory.getLogger(UnscopedTensors.class);

  /** Memory is read once for so many tensors. */
  private static final int SAMPLE = 1000;

  private static final long MUCH = 1L << 30;

  private static final AtomicLong COUNT = new AtomicLong();
  private static final UnscopedTensors HERE = new UnscopedTensors();

  private long first = -1;
  private volatile boolean warned;

  /** Called for every new tensor. */
  static void made() {
    if (!HERE.warned
        && PointerScope.getInnerScope() == null
        && COUNT.incrementAndGet() % SAMPLE == 0) {
      HERE.sample(Pointer.physicalBytes());
    }
  }

  /**
   * Takes note of the memory of the process after more tensors outside of scopes.
   *
   * @return whether it warned
   */
  synchronized boolean sample(long bytes) {
    if (first < 0) {
      first = bytes;
    }
    if (warned || bytes - first < MUCH) {
      return false;
    }
    warned = true;
    LOG.warn(
        "memory has grown by {} GB while tensors were made outside of any Scope: open one around"
            + " the work of a loop, which releases them when it closes",
        String.format(Locale.ROOT, "%.1f", (double) (bytes - first) / MUCH));
    return true;
  }
}
