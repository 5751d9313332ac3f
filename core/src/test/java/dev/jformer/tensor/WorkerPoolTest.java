package dev.jformer.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
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

  /** Threads of the BLAS would spin on the core that another lane needs. */
  @Test
  void productsOfALaneRunInItAlone() {
    assumeTrue(Engine.blas().equals("mkl"), "others have no count for each thread");
    int before = Blas.threads(0);
    Blas.threads(before);
    AtomicIntegerArray counts = new AtomicIntegerArray(POOL.count());
    POOL.run(lane -> counts.set(lane, Blas.threads(1)));
    Blas.threads(before); // the first lane is this thread
    for (int lane = 1; lane < POOL.count(); lane++) {
      assertEquals(1, counts.get(lane), "threads of lane " + lane);
    }
    WorkerPool.each(1, piece -> counts.set(0, Blas.threads(1)));
    assertEquals(1, counts.get(0), "threads of a single piece");
    assertEquals(before, Blas.threads(before), "and as before after it");
  }
}
