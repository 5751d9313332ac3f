package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** The warning that native memory grows outside of scopes. */
class UnscopedTensorsTest {
  private static final long GIB = 1L << 30;

  @Test
  void growthIsWarnedOfOnce() {
    UnscopedTensors watch = new UnscopedTensors();
    assertFalse(watch.sample(5 * GIB), "what the process held before does not count");
    assertFalse(watch.sample(5 * GIB + GIB / 2), "a little growth is usual");
    assertTrue(watch.sample(6 * GIB));
    assertFalse(watch.sample(9 * GIB), "once is enough");
  }
}
