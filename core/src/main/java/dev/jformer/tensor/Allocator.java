package dev.jformer.tensor;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settings of the C library's allocator. A training step allocates and frees the same tensors again
 * and again. With its default settings glibc returns their pages to the system each time, and the
 * system zeroes them again.
 */
final class Allocator {
  private static final Logger LOG = LoggerFactory.getLogger(Allocator.class);
  private static final int M_TRIM_THRESHOLD = -1;
  private static final int M_TOP_PAD = -2;
  private static final int M_MMAP_THRESHOLD = -3;
  private static final int LARGEST_MMAP_THRESHOLD = 32 << 20;
  private static final int KEPT = 512 << 20;

  private Allocator() {}

  /** Keeps freed memory for the next step. Does nothing where the C library is not glibc. */
  static void keepFreedMemory() {
    if (Boolean.getBoolean("jformer.malloc.default")) {
      return;
    }
    try {
      Function mallopt = NativeLibrary.getProcess().getFunction("mallopt");
      mallopt.invokeInt(new Object[] {M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD});
      mallopt.invokeInt(new Object[] {M_TRIM_THRESHOLD, KEPT});
      mallopt.invokeInt(new Object[] {M_TOP_PAD, 64 << 20});
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      LOG.debug("the allocator stays as it is: {}", e.getMessage());
    }
  }

  /** Gives freed memory back to the system. Does nothing where the C library is not glibc. */
  static void giveBack() {
    try {
      NativeLibrary.getProcess().getFunction("malloc_trim").invokeInt(new Object[] {0L});
    } catch (UnsatisfiedLinkError | NoClassDefFoundError e) {
      LOG.debug("freed memory stays: {}", e.getMessage());
    }
  }
}
