package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerPoolTest {
  private static final WorkerPool POOL = new WorkerPool(3);
  private static final int LAST = POOL.count() - 1;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void failsWithTheFailureOfALane(boolean caller) {
    int failing = caller ? 0 : LAST;
    AtomicInteger ended = new AtomicInteger();
    IllegalStateException failure =
        assertThrows(
            IllegalStateException.class,
            () ->
                POOL.run(
                    lane -> {
                      ended.incrementAndGet();
                      if (lane == failing) {
                        throw new IllegalStateException("lane " + lane);
                      }
                    }));
    assertEquals("lane " + failing, failure.getMessage());
    assertEquals(LAST + 1, ended.get(), "lanes that ran");
    runsEveryLane();
  }

  @Test
  void keepsALaneThatFailsWithAnError() {
    assertThrows(
        AssertionError.class,
        () ->
            POOL.run(
                lane -> {
                  if (lane == LAST) {
                    throw new AssertionError();
                  }
                }));
    runsEveryLane();
  }

  @Test
  void runsEveryLane() {
    AtomicInteger sum = new AtomicInteger();
    POOL.run(lane -> sum.addAndGet(lane + 1));
    assertEquals((LAST + 1) * (LAST + 2) / 2, sum.get());
  }
}
