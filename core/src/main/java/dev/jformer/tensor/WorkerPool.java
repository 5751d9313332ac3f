package dev.jformer.tensor;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.global.torch;

/**
 * A pool of threads, called lanes, that start on a small piece of work within a few microseconds.
 * BLAS runs the product of a matrix and a vector in one thread, which cannot use the whole
 * bandwidth of the memory; two lanes with half of the rows each nearly double the speed of
 * decoding.
 *
 * <p>A lane without work spins for a while before it sleeps.
 */
final class WorkerPool {
  private static final int SPINS = 20_000;

  /** Fewer weights than this are not worth a second thread. */
  private static final long SMALLEST_SHARED = 1 << 18;

  private final ReentrantLock busy = new ReentrantLock();
  private final Thread[] threads;
  private final AtomicInteger unfinished = new AtomicInteger();
  private final AtomicInteger round = new AtomicInteger();
  private volatile IntConsumer work;
  private volatile Throwable failure;

  WorkerPool(int count) {
    threads = new Thread[count - 1];
    CountDownLatch ready = new CountDownLatch(threads.length);
    int before = torch.get_num_threads();
    for (int i = 0; i < threads.length; i++) {
      int lane = i + 1;
      threads[i] = new Thread(() -> serve(lane, ready), "jformer-lane-" + lane);
      threads[i].setDaemon(true);
      threads[i].start();
    }
    awaitAll(ready);
    // libtorch gives new threads the thread count that was set last, in any thread.
    torch.set_num_threads(before);
  }

  private static void awaitAll(CountDownLatch ready) {
    boolean interrupted = false;
    while (true) {
      try {
        ready.await();
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Holder {
    private static final WorkerPool SHARED = new WorkerPool(Engine.threads());
  }

  /**
   * The pool of this process; it has as many lanes as the engine had threads when it was first
   * used.
   */
  static WorkerPool shared() {
    return Holder.SHARED;
  }

  /**
   * Number of pieces to cut a matrix into, so that lanes can share them out.
   *
   * @param most the most pieces possible
   */
  static int pieces(long weights, long most) {
    return weights < SMALLEST_SHARED ? 1 : (int) Math.min(most, Engine.threads());
  }

  /**
   * Runs {@code work} for each piece of a matrix, from 0 to {@code pieces - 1}, shared out to the
   * lanes; a lane's operators run in the lane alone. So do those of a single piece, which runs in
   * the caller's thread.
   */
  static void each(int pieces, IntConsumer work) {
    try (Mode mode = Engine.singleThreaded()) {
      if (pieces == 1) {
        work.accept(0);
        return;
      }
      WorkerPool pool = shared();
      pool.run(
          lane -> {
            for (int piece = lane; piece < pieces; piece += pool.count()) {
              work.accept(piece);
            }
          });
    }
  }

  /** Number of lanes, the caller's own included. */
  int count() {
    return threads.length + 1;
  }

  /**
   * Runs {@code part} for every lane number, 0 in the caller's thread; returns when all are done.
   */
  void run(IntConsumer part) {
    if (!busy.tryLock()) {
      // Another thread uses the lanes: this one does all parts itself.
      for (int lane = 0; lane < count(); lane++) {
        part.accept(lane);
      }
      return;
    }
    try {
      work = part;
      failure = null;
      unfinished.set(threads.length);
      round.incrementAndGet();
      for (Thread thread : threads) {
        LockSupport.unpark(thread);
      }
      attempt(part, 0);
      while (unfinished.get() > 0) {
        Thread.onSpinWait();
      }
      if (failure instanceof Error error) {
        throw error;
      }
      if (failure != null) {
        throw (RuntimeException) failure;
      }
    } finally {
      work = null;
      busy.unlock();
    }
  }

  /** Runs a lane's part and keeps what it throws, as every lane has to end before the caller. */
  private void attempt(IntConsumer part, int lane) {
    try {
      part.accept(lane);
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  private void serve(int lane, CountDownLatch ready) {
    torch
        .get_num_threads(); // libtorch initialises a thread at its first call, which would undo the
    // next line
    torch.set_num_threads(1); // a lane's operators run in the lane alone
    Blas.threads(1);
    ready.countDown();
    // What a lane writes may belong to a caller in inference mode.
    try (InferenceMode mode = new InferenceMode(true)) {
      int done = 0;
      while (true) {
        int spins = 0;
        while (round.get() == done) {
          if (++spins < SPINS) {
            Thread.onSpinWait();
          } else {
            LockSupport.park(this);
          }
        }
        done = round.get();
        try (PointerScope scope = new PointerScope()) {
          attempt(work, lane);
        } finally {
          unfinished.decrementAndGet();
        }
      }
    }
  }
}
